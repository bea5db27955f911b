"""What a measurement stands on: a private PostgreSQL with its own durable settings, a data folder, tables, key ring, products."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests import services

if TYPE_CHECKING:
    from products.models import Product

FOREIGN = ("NAMEPLATE_", "DATABASE_URL", "REDIS_URL", "DJANGO_")


@contextmanager
def stage() -> Iterator[Path]:
    """On PostgreSQL: the folder for whatever is written; all of it is gone afterwards. Django is set up on it, in this process and in its
    children."""
    services.install_packages()
    with _folder() as folder, services.postgres(folder, durable=True) as url:
        with psycopg.connect(url.removesuffix("nameplate") + "postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE nameplate")
        _settle(folder / "data", DATABASE_URL=url)
        yield folder


@contextmanager
def embedded_stage() -> Iterator[Path]:
    """The same on the embedded defaults: SQLite in the data folder."""
    with _folder() as folder:
        _settle(folder / "data")
        yield folder


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nameplate-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def _settle(data: Path, **own: str) -> None:
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.update(
        **own,
        DJANGO_SETTINGS_MODULE="console.settings",
        NAMEPLATE_DATA_DIR=str(data),
        NAMEPLATE_LOG_LEVEL="WARNING",
        PYTHONHASHSEED="0",
    )
    import django

    django.setup()
    from django.core.management import call_command

    call_command("setup", stdout=StringIO())


def product(name: str, *, wire: str, kind: str) -> "Product":
    """Published, its door open, with as many activation codes and as much quota as there can be."""
    from console.shared.actors import SYSTEM
    from products.models import Product, ProductStatus
    from products.services import products, supply

    now = datetime.now(UTC)
    new = products.NewProduct(name=name, wire_protocol=wire, network_protocol="mqtt", device_name_kind=kind)
    made = products.create(new, by=SYSTEM, at=now)
    supply.grant_codes(made, quantity=10_000_000, by=SYSTEM, at=now)
    Product.objects.filter(pk=made.pk).update(status=ProductStatus.PUBLISHED, dynamic_registration=True, per_product_secret=True)
    made.refresh_from_db()
    return made


def product_secret(made: "Product") -> str:
    from console.shared import keyring
    from products.models import ProductSecret

    secret = ProductSecret.objects.get(product=made)
    return keyring.unseal(secret.sealed, owner=secret.owner())


@contextmanager
def filling(table: str) -> Iterator[None]:
    """Indexes that no constraint stands on are away while a PostgreSQL table is filled with millions of rows, and made anew behind it."""
    from django.db import connection

    with connection.cursor() as cursor:
        constraints = "SELECT FROM pg_constraint WHERE conname = indexname"
        cursor.execute(f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND NOT EXISTS ({constraints})", [table])
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute(f'VACUUM ANALYZE "{table}"')
    checkpoint()


def checkpoint() -> None:
    """What the database has put off is done now, and not in the middle of a measurement."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")
