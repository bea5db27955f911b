"""What a program that runs on says of itself: a plain sentence for whoever sits at the terminal, a line like all others for a log."""

import logging
from typing import TextIO

from django.conf import settings


def announce(message: str, *, out: TextIO, log: logging.Logger) -> None:
    if settings.NAMEPLATE_LOG_FORMAT == "json":
        log.info(message)
        return
    out.write(f"{message}\n")
    out.flush()
