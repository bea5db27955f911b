"""manage.py make_key_ring: the key ring that production does not start without."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.shared import keyring


class Command(BaseCommand):
    help = "Makes the key ring's file (NAMEPLATE_KEY_RING_FILE) if it is not there, readable by its owner alone."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if keyring.path() is None:
            raise CommandError("The key ring stands in NAMEPLATE_KEY_RING; there is no file to make.")
        made = keyring.make_if_missing()
        self.stdout.write(f"{'Made' if made else 'Already there'}: {keyring.path()}. Keep a copy elsewhere.")
