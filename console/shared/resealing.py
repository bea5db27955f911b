"""Moving everything sealed to the key ring's first key, a chunk at a time, while the console runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from console.shared import keyring
from console.shared.fields import SealedField, sealed_fields
from console.shared.routers import GLOBAL

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Resealed:
    """What one pass over one column moved and found."""

    column: str
    database: str
    moved: int
    seen: int


def reseal_everything() -> Iterator[Resealed]:
    """One pass over every sealed column of every database. Safe to end at any moment and to run again. Raises SealBroken at a value
    that does not open, before anything of its chunk is changed."""
    for alias in settings.DATABASES:
        for model in models_of(alias):
            for field in sealed_fields(model):
                moved, seen = _reseal_column(model, field, alias)
                yield Resealed(f"{model._meta.label}.{field.name}", alias, moved, seen)


def models_of(alias: str) -> Iterator[type[models.Model]]:
    """What is valid everywhere is resealed in the center alone: a data center may hold a replicated copy of it."""
    return (model for model in apps.get_models() if alias == GLOBAL or getattr(model, "lives_in_data_center", False))


def _reseal_column(model: type[models.Model], field: SealedField, alias: str) -> tuple[int, int]:
    last, moved, seen = None, 0, 0
    rows = model._base_manager.using(alias).order_by("pk")
    while chunk := list((rows.filter(pk__gt=last) if last is not None else rows)[:CHUNK]):
        last, seen = chunk[-1].pk, seen + len(chunk)
        ring = keyring.current()
        old = [row for row in chunk if not ring.is_current(getattr(row, field.name))]
        with transaction.atomic(using=alias):
            moved += sum(_reseal_row(model, field, alias, row) for row in old)
    return moved, seen


def _reseal_row(model: type[models.Model], field: SealedField, alias: str, row: models.Model) -> int:
    """A conditional update: what somebody else has written meanwhile is sealed with the new key already."""
    old, owner = bytes(getattr(row, field.name)), field.owner_of(row)
    new = keyring.current().seal(keyring.current().open(old, owner), owner)
    return model._base_manager.using(alias).filter(pk=row.pk, **{field.name: old}).update(**{field.name: new})
