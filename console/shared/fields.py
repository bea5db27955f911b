"""Fields that several apps use."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    Binary = models.BinaryField[bytes, bytes]
else:
    Binary = models.BinaryField


class SealedField(Binary):
    """An envelope of console.crypto.sealing. `owner` names the row's method that returns the owner's bytes.

    The key ring opens it; nothing else may show it: no list, resource, serializer, log or audit line has such a field.
    """

    def __init__(self, *args: Any, owner: str, **kwargs: Any) -> None:
        self.owner = owner
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "owner": self.owner, "editable": self.editable}

    def owner_of(self, row: models.Model) -> bytes:
        owner: bytes = getattr(row, self.owner)()
        return owner


def sealed_fields(model: type[models.Model]) -> list[SealedField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, SealedField)]
