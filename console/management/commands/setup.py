"""manage.py setup: everything that has to be there before the console serves. Safe to run at every start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console import first_start, static_files
from console.refusals import refuse_unsafe_start
from console.shared import keyring


class Command(BaseCommand):
    help = "Makes what is missing: data folder, key ring, tables, static files, an administrator, the home data center."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unsafe_start()
        first_start.make_folders()
        first_start.make_tables()
        self._make_key_ring()
        static_files.collect()
        first_start.make_home(at=timezone.now())
        password = first_start.make_administrator()
        if password:
            self.stdout.write(f"\n  Administrator: {first_start.ADMINISTRATOR}\n  Password:      {password}\n\n  It is shown this once.\n")

    def _make_key_ring(self) -> None:
        try:
            made = first_start.make_key_ring()
        except first_start.KeyRingLost as error:
            raise CommandError(error.message) from error
        if made:
            self.stdout.write(
                f"A key ring was made: {keyring.path()}. Keep a copy elsewhere: without it, no stored secret can be read again."
            )
