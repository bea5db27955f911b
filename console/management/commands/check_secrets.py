"""manage.py check_secrets: does this key ring open what this database holds?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.shared.opening import try_secrets


class Command(BaseCommand):
    help = "Opens the newest and the oldest sealed values of every table with the key ring, and says which do not open. Shows no secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="every value, not only a sample")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for result in try_secrets(everything=options["all"]):
            broken += result.broken
            words = "all open" if not result.broken else f"{result.broken:,} DO NOT OPEN"
            self.stdout.write(f"{result.column} in {result.database}: {result.tried:,} tried, {words}")
        if broken:
            raise CommandError("This key ring does not belong to this database: put the right copy back.")
