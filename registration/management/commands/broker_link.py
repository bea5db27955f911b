"""manage.py broker_link: cuts clients off at the brokers and learns from them who came and left."""

import logging
import signal
import sys
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from console.shared.announcing import announce
from registration.servers.link import Link

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Carries out the orders to cut clients off at the MQTT brokers and learns who came and left, until Ctrl-C. `serve` starts it."
    requires_system_checks = ("production",)

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        announce("The link to the brokers is up.", out=sys.stdout, log=log)
        Link().run(stop)
