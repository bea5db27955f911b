"""manage.py remove_second_factor: for the last administrator, whom no other one can help."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from console.errors import DomainError
from console.people import accounts
from console.shared.actors import SYSTEM


class Command(BaseCommand):
    help = "Removes the authenticator app and the recovery codes of a person who lost their phone; the password stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", required=True, help="Goes to the audit log.")

    def handle(self, *args: Any, **options: Any) -> None:
        person: Any = get_user_model()._default_manager.filter(username=options["username"]).first()
        if person is None:
            raise CommandError("Nobody has this user name.")
        try:
            accounts.remove_second_factor(person.pk, reason=options["reason"], by=SYSTEM, at=timezone.now())
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{person} signs in with the password alone, until they set up an authenticator app again.")
