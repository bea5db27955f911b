"""Which database a row lives in: what is valid everywhere in `default`, a data center's own facts in that data center's."""

from typing import Any

from django.db import models

GLOBAL = "default"


class DataCenterRouter:
    """A model with `lives_in_data_center = True` is found where its queryset says; every other one in `default`,
    also when it is reached from a row of another database."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return None if getattr(model, "lives_in_data_center", False) else GLOBAL

    db_for_write = db_for_read

    def allow_relation(self, *rows: models.Model, **hints: Any) -> bool:
        """No database checks a foreign key between them."""
        return True
