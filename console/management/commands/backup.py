"""manage.py backup FOLDER: databases and files, while the console runs. The key ring is kept elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from console import backups
from console.errors import DomainError


class Command(BaseCommand):
    help = "Writes the databases and the files into a new folder, while the console runs. Never the key ring: keep its copy elsewhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a new or empty folder")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            facts = backups.make(folder, at=timezone.now())
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        for name, part in facts["parts"].items():
            self.stdout.write(f"{folder / name}: {part['bytes']:,} bytes")
        self.stdout.write(f"Only with the key ring that holds the key {facts['keys'][0]} can its secrets be read.")
