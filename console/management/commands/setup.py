"""manage.py setup: everything that has to be there before the console serves. Safe to run at every start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from console import first_start, static_files
from console.people import roles
from console.refusals import refuse_unsafe_start
from console.shared import keyring
from console.shared.actors import SYSTEM


class Command(BaseCommand):
    help = (
        "Makes what is missing: data folder, key ring, tables, static files, the roles, an administrator, the home data center, "
        "the key that signs receipts."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--roles", action="store_true", help="bring every role back to what this version has for it")

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unsafe_start()
        first_start.make_folders()
        first_start.make_tables()
        self._make_key_ring()
        static_files.collect()
        first_start.make_home(at=timezone.now())
        first_start.make_receipt_key(at=timezone.now())
        self._make_roles(restore=options["roles"])
        password = first_start.make_administrator()
        if password:
            self.stdout.write(f"\n  Administrator: {first_start.ADMINISTRATOR}\n  Password:      {password}\n\n  It is shown this once.\n")

    def _make_roles(self, *, restore: bool) -> None:
        if not restore:
            roles.make_missing(by=SYSTEM, at=timezone.now())
            return
        changed = roles.restore(by=SYSTEM, at=timezone.now())
        self.stdout.write(f"Roles brought back: {', '.join(changed)}." if changed else "Every role is as this version has it.")

    def _make_key_ring(self) -> None:
        try:
            made = first_start.make_key_ring()
        except first_start.KeyRingLost as error:
            raise CommandError(error.message) from error
        if made:
            self.stdout.write(
                f"A key ring was made: {keyring.path()}. Keep a copy elsewhere: without it, no stored secret can be read again."
            )
