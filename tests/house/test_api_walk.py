"""Every operation of the management API for every role: who may call it stands in the table, and an operation without a line fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

from console.models import AuditEntry
from console.people import roles
from products.models import DataCenter, Product
from tests.house import walking
from tests.house.test_walk import read_table
from tests.house.walking import LIMITED, World

pytestmark = pytest.mark.django_db
ROOT = "api/v1/"
TABLE = Path(__file__).with_name("operations.txt")
ROWS = {
    "pre-import": "devices.preimporteddevice",
    "uploads": "devices.upload",
    "mac-pools": "devices.macpool",
    "certificate-authorities": "products.certificateauthority",
    "issued-certificates": "products.issuedcertificate",
    "batches": "devices.batch",
    "download-codes": "devices.downloadcode",
    "serial-number-runs": "devices.serialnumberrun",
    "serial-numbers": "devices.serialnumber",
    "devices": "devices.device",
    "log": "registration.devicelogentry",
    "<word:kind>": "devices.batch",
}
"""Whose number stands behind a part of an address."""
OF_NO_PRODUCT = {"code", "kind", "form"}
OF_DEVICES = {"register_device"}
"""Called by devices, which prove themselves otherwise."""
UNREADABLE = {400, 415, 422}
"""The body was looked at first, and nothing else."""


@dataclass(frozen=True)
class Called:
    """An operation at its address: `route` with its converters, as the URLs have it."""

    name: str
    verb: str
    route: str
    arguments: frozenset[str]
    plan: Any

    def send(self, client: Client, world: World) -> Any:
        examples = [example.value for example in self.plan.examples if example.request_only] if self.verb != "get" else []
        body = {"data": examples[0] if examples else {}, "content_type": self.plan.takes} if self.verb != "get" else {}
        return getattr(client, self.verb)(f"/{self._address(world)}", **body)

    def _address(self, world: World) -> str:
        parts = self.route.split("/")
        before = ["", *parts]
        return "/".join(self._value(part, before[at], world) if part.startswith("<") else part for at, part in enumerate(parts))

    def _value(self, part: str, before: str, world: World) -> str:
        argument = part.strip("<>").partition(":")[2]
        if argument == "number":
            return world.keys[ROWS[before]].rpartition("-")[2]
        words = {"key": Product.objects.get(name="Kettle").key, "code": DataCenter.objects.home().code}
        return {**world.words, **words}[argument]


def operations() -> list[Called]:
    found = _under("", get_resolver().url_patterns)
    return sorted({one.name: one for one in found}.values(), key=lambda one: one.name)


def _under(prefix: str, patterns: Any) -> Iterator[Called]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if ROOT.startswith(route) or route.startswith(ROOT):
                yield from _under(route, pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and route.startswith(ROOT):
            view = getattr(pattern.callback, "cls", None)
            for verb in ("get", "post", "put", "patch", "delete"):
                plan = getattr(getattr(view, verb, None), "operation", None)
                if plan is not None:
                    yield Called(plan.name, verb, route, frozenset(pattern.pattern.converters), plan)


def test_the_walk_meets_every_operation_of_the_schema() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    ours = {verb["operationId"] for path, verbs in paths.items() if path.startswith(f"/{ROOT}") for verb in verbs.values()}
    assert ours - OF_DEVICES == {one.name for one in operations()}


def test_every_operation_has_its_line() -> None:
    known, lines = {one.name for one in operations()}, set(read_table(TABLE))
    assert sorted(known - lines) == [], "new operations: say in tests/house/operations.txt for whom they are"
    assert sorted(lines - known) == [], "operations of the table that do not exist"


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_role_calls_its_operations_and_what_is_refused_changes_nothing(role: str) -> None:
    world = walking.build()
    client, allowed = walking.sign_in(walking.people()[role]), read_table(TABLE)
    before, lines = walking.fingerprint(), AuditEntry.objects.count()
    wrong = []
    for one in operations():
        may = role in allowed.get(one.name, ())
        if may and one.verb != "get":
            continue
        answer = one.send(client, world)
        if answer.status_code >= 500 or (answer.status_code == 403) == may:
            wrong.append((one.name, answer.status_code))
    assert not wrong
    assert AuditEntry.objects.count() == lines
    assert walking.fingerprint() == before


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_a_person_with_chosen_products_finds_nothing_of_another_one(verb: str) -> None:
    world = walking.build()
    client = walking.sign_in(walking.people()[LIMITED])
    before, lines, wrong = walking.fingerprint(), AuditEntry.objects.count(), []
    for one in operations():
        if one.verb != verb or one.plan.is_open:
            continue
        answer = one.send(client, world)
        of_a_row = bool(one.arguments - OF_NO_PRODUCT)
        gone = answer.status_code in {403, 404} or (verb != "get" and answer.status_code in UNREADABLE)
        if (of_a_row and not gone) or answer.status_code >= 500:
            wrong.append((one.name, answer.status_code))
        text = answer.content.decode() if not answer.streaming else ""
        wrong += [(one.name, leak) for leak in walking.LEAKS if verb == "get" and leak in text]
    assert not wrong
    if verb != "get":
        assert (AuditEntry.objects.count(), walking.fingerprint()) == (lines, before)
