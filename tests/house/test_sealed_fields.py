"""A sealed secret stands in no export, no API answer and no list."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.urls import get_resolver
from import_export.resources import Resource
from rest_framework.serializers import BaseSerializer

from console.shared.fields import sealed_fields

SEALED = {field.name for model in apps.get_models() for field in sealed_fields(model)}


def subclasses(base: type) -> Iterator[type]:
    for child in base.__subclasses__():
        yield child
        yield from subclasses(child)


def ours(base: type) -> list[type]:
    get_resolver().url_patterns  # noqa: B018  (imports every door)
    return [child for child in subclasses(base) if child.__module__.split(".")[0] in {"console", "products", "devices", "registration"}]


def admins() -> list[tuple[type[Model], Any]]:
    return list(admin.site._registry.items())


def test_there_are_sealed_fields_to_watch() -> None:
    assert len(SEALED) >= 1
    assert all(not field.editable for model in apps.get_models() for field in sealed_fields(model)), "no form shows one"


def test_no_resource_imports_or_exports_one() -> None:
    for resource in ours(Resource):
        columns = {field.attribute or name for name, field in resource.fields.items()}  # type: ignore[attr-defined]
        assert not SEALED & columns, resource


def test_no_serializer_has_one() -> None:
    for serializer in ours(BaseSerializer):
        declared = getattr(serializer, "_declared_fields", {})
        assert not SEALED & set(declared), serializer
        meta = getattr(serializer, "Meta", None)
        fields = getattr(meta, "fields", ())
        if meta and sealed_fields(meta.model):
            assert fields != "__all__", f"{serializer} shows whatever the model has"
        assert not SEALED & set(fields if fields != "__all__" else ()), serializer


@pytest.mark.parametrize(
    "place", ["list_display", "list_filter", "search_fields", "readonly_fields", "list_editable", "ordering", "fields"]
)
def test_no_admin_page_lists_filters_searches_or_shows_one(place: str) -> None:
    assert len(admins()) > 3
    for model, options in admins():
        for entry in getattr(options, place) or ():
            field = entry[0] if isinstance(entry, tuple) else entry
            assert str(field).lstrip("^=@-").split("__")[0] not in SEALED or not sealed_fields(model), (model, place, field)
            assert not SEALED & set(str(field).lstrip("^=@-").split("__")), (model, place, field)


def test_no_fieldset_shows_one() -> None:
    for model, options in admins():
        for _title, facts in options.fieldsets or ():
            shown = {name for entry in facts["fields"] for name in (entry if isinstance(entry, list | tuple) else [entry])}
            assert not SEALED & shown, model
