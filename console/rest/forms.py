"""What comes in: fields that take exactly the JSON type they declare, and forms that refuse what they do not know.

A number in quotation marks or a mistyped member is a mistake of a program: it is told at once, not guessed at.
"""

from datetime import UTC
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

MOST_ROWS = 1_000
HIGHEST = 2**63 - 1


class Text(serializers.CharField):
    """A JSON string. Its ends are trimmed by the service that knows whether that matters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Blank is what is empty, not what has spaces alone: those break the service's rule, not the form's."""
        if isinstance(data, str) and data and not data.strip() and not self.allow_blank:
            return serializers.Field.run_validation(self, data)
        return super().run_validation(data)


class Whole(serializers.IntegerField):
    """A JSON number without a fraction."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": HIGHEST, **options})

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float) or data != data // 1:
            self.fail("invalid")
        return super().to_internal_value(int(data))


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """An RFC 3339 time; out as UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default_timezone": UTC, **options})

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339")
        try:
            return super().to_internal_value(value)
        except OverflowError:
            self.fail("invalid", format="RFC 3339")


class Form(serializers.Serializer):
    """The members of a request's body, and no others."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({name: [serializers.ErrorDetail("Unknown member.", "unknown")] for name in unknown})
        return super().to_internal_value(data.dict() if isinstance(data, QueryDict) else data)


class Query(serializers.Serializer):
    """Parameters of an address, and no others: a mistyped filter would answer with everything."""

    def to_internal_value(self, data: Any) -> Any:
        repeated = sorted(name for name, values in data.lists() if len(values) > 1)
        unknown = sorted(set(data) - set(self.fields))
        if unknown or repeated:
            errors = {name: [serializers.ErrorDetail("Unknown parameter.", "unknown")] for name in unknown}
            errors |= {name: [serializers.ErrorDetail("Given more than once.", "repeated")] for name in repeated}
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data.dict())  # Plain: an empty parameter is empty, and not as if it were left out.


class Nothing(Form):
    """An empty object, or no body at all."""


class ReasonForm(Form):
    reason = Text(required=False, allow_blank=True, max_length=500, default="", help_text="Goes to the audit log.")


class RowId(serializers.IntegerField):
    """The number of a row in an address's parameter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": HIGHEST, **options})
