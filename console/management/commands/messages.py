"""`manage.py messages`: the catalogue of each language follows the texts. What is left to translate is listed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.management.texts import NotLiteral


class Command(BaseCommand):
    help = "Collects every text that a person reads into locale/, keeps the translations that there are, and compiles them."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        from console.management import catalogue

        try:
            found = catalogue.theirs() | catalogue.ours()
        except NotLiteral as error:
            raise CommandError(f"This text is put together at run time: {error}") from error
        made = catalogue.merged(catalogue.read(), found)
        catalogue.write(made)
        left = catalogue.untranslated(made)
        for text in left:
            self.stdout.write(f"  {text}")
        self.stdout.write(f"{len(made)} texts in {catalogue.path()}, {len(left)} of them without a translation.")
