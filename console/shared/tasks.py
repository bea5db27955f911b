"""Nudges: messages that say "look at this row". They may be lost or come twice; the row decides, and a sweep sends them again."""

import logging

from celery import current_app
from django.db import transaction

log = logging.getLogger(__name__)


def nudge(task: str, pk: int) -> None:
    """Sends task(pk) after commit. A dead broker is logged, not raised: the sweep finds the row."""

    def send() -> None:
        try:
            current_app.send_task(task, args=[pk], ignore_result=True)
        except Exception as error:  # Whatever the broker's transport raises: the row is there, and that is what counts.
            log.warning("The broker did not take %s(%s): %s. The sweep will find the row.", task, pk, error)

    transaction.on_commit(send)
