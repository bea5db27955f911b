"""Trying whether the key ring opens what the databases hold: after a restore, or when somebody doubts it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models

from console.crypto.sealing import SealBroken
from console.shared import keyring
from console.shared.fields import SealedField, sealed_fields
from console.shared.resealing import models_of

SAMPLE = 500
"""Of the oldest and of the newest rows: a ring that lost a key fails at one end or the other."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What one column's values said."""

    column: str
    database: str
    tried: int
    broken: int


def try_secrets(*, everything: bool = False) -> Iterator[Tried]:
    """Opens and forgets. Changes nothing."""
    for alias in settings.DATABASES:
        for model in models_of(alias):
            for field in sealed_fields(model):
                yield _try_column(model, field, alias, everything=everything)


def _try_column(model: type[models.Model], field: SealedField, alias: str, *, everything: bool) -> Tried:
    tried = broken = 0
    for row in _rows(model, alias, everything=everything):
        if value := getattr(row, field.name):
            tried += 1
            broken += not _opens(bytes(value), field.owner_of(row))
    return Tried(f"{model._meta.label}.{field.name}", alias, tried, broken)


def _rows(model: type[models.Model], alias: str, *, everything: bool) -> Iterable[Any]:
    rows = model._base_manager.using(alias).order_by("pk")
    if everything:
        return rows.iterator(chunk_size=2_000)
    return {row.pk: row for row in [*rows[:SAMPLE], *rows.reverse()[:SAMPLE]]}.values()


def _opens(value: bytes, owner: bytes) -> bool:
    try:
        keyring.current().open(value, owner)
    except SealBroken:
        return False
    return True
