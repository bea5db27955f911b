"""Lists, a piece at a time. The position is the key of the last row, so that new rows move nothing, and nothing is counted."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from console.rest.forms import HIGHEST, Query

MOST, USUAL = 200, 50
_MARK = "1:"


class Cursor(serializers.CharField):
    """Opaque outside; inside, the version of its form and the place where the list goes on: the key of the last row."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The text's own rules first, then what it holds."""
        text = super().run_validation(data)
        try:
            mark, _colon, place = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode("ascii").partition(":")
            if f"{mark}:" == _MARK:
                return self.read(place)
        except ValueError:
            pass
        raise serializers.ValidationError("This is no cursor of a list: take it from `next`.", code="cursor")

    def read(self, place: str) -> Any:
        """Raises ValueError."""
        return key_of(place)

    def to_representation(self, value: Any) -> str:
        return urlsafe_b64encode(f"{_MARK}{value}".encode()).decode().rstrip("=")


def key_of(text: str) -> int:
    """Of a row. Raises ValueError."""
    if not text.isdecimal() or (key := int(text)) > HIGHEST:
        raise ValueError(text)
    return key


class PageQuery(Query):
    """What every list takes."""

    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=USUAL, help_text=f"Rows in one answer, at most {MOST}.")
    cursor = Cursor(required=False, max_length=64, help_text="Where to go on: from the `next` of the answer before.")


def page(rows: QuerySet[Any], query: dict[str, Any], request: Request) -> tuple[list[Any], str | None]:
    """The newest rows behind the cursor, and the address of those that follow: None at the end."""
    after = query.get("cursor")
    behind = rows.filter(pk__lt=after) if after is not None else rows
    found = list(behind.order_by("-pk")[: query["limit"] + 1])
    shown = found[: query["limit"]]
    return shown, following(request, shown[-1].pk) if len(found) > len(shown) else None


def following(request: Request, place: object) -> str:
    """The address of the rows behind this place, relative to the server: no proxy between can make it wrong."""
    asked = request.query_params.copy()
    asked["cursor"] = Cursor().to_representation(place)
    return f"{request.path}?{asked.urlencode()}"
