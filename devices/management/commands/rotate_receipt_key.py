"""manage.py rotate_receipt_key: another key signs receipts from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from console.errors import DomainError
from console.shared.actors import SYSTEM
from devices.services import receipt_chain


class Command(BaseCommand):
    help = "Makes a new key that signs receipts from now on. The old one stays in the published list, for the receipts that it signed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="Goes to the audit log.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = receipt_chain.rotate(reason=options["reason"], by=SYSTEM, at=timezone.now())
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"The key {key.key_id} signs receipts from now on. Give the new list at /receipts/keys to those who check them.")
