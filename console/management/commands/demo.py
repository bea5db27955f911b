"""manage.py demo: a small fleet to look at."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console import demo, demo_certificates, demo_office
from console.environment import load
from products.models import DataCenter


class Command(BaseCommand):
    help = "Loads demo data: data centers, products, batches, people, registrations over two weeks. Once; not in production."

    def handle(self, *args: Any, **options: Any) -> None:
        if load().production:
            raise CommandError("Demo data does not belong into a production console.")
        if not DataCenter.objects.filter(is_home=True).exists():
            raise CommandError("The console is not set up yet: `make demo` does both, or run `manage.py setup` first.")
        if demo.is_there():
            self.stdout.write("The demo data is there already.")
            return
        self.stdout.write("Loading demo data ...")
        demo.load()
        demo_certificates.load()
        demo_office.load()
        self.stdout.write("Done: four products, two more data centers, some hundred devices, five people.")
