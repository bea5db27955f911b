"""Credentials that are almost right: none is admitted, none raises, and nothing grows."""

import dataclasses
import random
import resource
from typing import Any

import pytest

from console.errors import DomainError
from devices.models import Authentication, ClientIdentity, Connection, Device
from products.services import lookup
from registration.models import DeviceLogEntry
from registration.protocols import connection_schemes
from registration.protocols.connecting import Presented
from registration.services import broker_auth, device_log
from registration.services.record_writing import Decided, Record
from tests import cast
from tests.registration.connecting import ADDRESS, broker, issued, with_row_s_secret

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(600)]
CREDENTIALS = 20_000
HOSTILE = (
    "",
    "\0",
    "\ud800",
    "|",
    "&",
    "/",
    ";",
    ",",
    "=",
    "'",
    '"',
    "%",
    "\n",
    "é",
    "令",
    "0",
    "F",
    "x" * 300,
    "{}",
    "$",
    "+",
    "#",
    "../",
    " ",
)
GROWTH_AT_MOST = 60_000
"""Kilobytes; the caches of products and topics are filled on the way."""


def meaning(presented: Presented) -> object:
    """What a credential says, whatever it says it with: parameters that nobody looks at, the case of hexadecimal digits."""
    try:
        claim: Any = connection_schemes.read(presented)
    except DomainError:
        return None
    facts = {field.name: getattr(claim, field.name) for field in dataclasses.fields(claim)}
    folded = {name: facts[name].lower() for name in ("signature", "method") if name in facts}
    return facts | folded | {"device_name": claim.device_name.strip(), "scheme": claim.scheme}


def mutate(chance: random.Random, text: str) -> str:
    place, length = chance.randrange(len(text) + 1), chance.choice((0, 0, 1, 1, 2, 8))
    middle = chance.choice((chance.choice(HOSTILE), chr(chance.randrange(32, 127)), "", text[:place][-3:]))
    return text[:place] + middle + text[place + length :]


TEXTS = ["client_id", "username", "password"]


def mutant(chance: random.Random, known: list[Presented]) -> Presented:
    one, other = chance.choice(known), chance.choice(known)
    fields = dataclasses.asdict(one)
    for name in chance.sample(TEXTS, chance.choice((1, 1, 1, 2, 3))):
        fields[name] = getattr(other, name) if chance.random() < 0.1 else mutate(chance, fields[name])
    return Presented(**fields)


def credentials() -> list[Presented]:
    """Of devices that are activated, that wait, and that are preregistration-free, in every scheme."""
    lamp, tracker = cast.lamp(preregistration_free=True), cast.tracker()
    found = [issued(lamp, "lamp-0009").presents() for _ in range(3)]
    for number in range(3):
        row = cast.row(lamp, f"lamp-000{number}", Authentication.STATIC)
        found += [with_row_s_secret(row).presents(), with_row_s_secret(row, "native").presents()]
        found.append(with_row_s_secret(cast.row(tracker, f"crate-{number}", Authentication.STATIC)).presents())
    return found


def keep(recorded: list[Record]) -> None:
    """The database takes every entry; then it is as before."""
    entries = [(record.attempt, record.code) for record in recorded if isinstance(record, Decided)]
    assert len(entries) == len(recorded)
    device_log.write_many(entries, database="default")
    assert DeviceLogEntry.objects.filter(request_id__in=[attempt.request_id for attempt, _code in entries]).delete()[0] == len(entries)
    recorded.clear()


def test_no_mutated_credential_is_admitted(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    center, chance = cast.home(), random.Random(20261121)
    known, asking = credentials(), broker(center)
    for presented in known[::2]:
        broker_auth.connect(broker=asking, presented=presented, address=ADDRESS, at=cast.NOON)
    before = [model.objects.count() for model in (Device, ClientIdentity, Connection, DeviceLogEntry)]
    meanings = [meaning(presented) for presented in known]
    assert None not in meanings
    recorded: list[Record] = []
    monkeypatch.setattr(broker_auth.recorder, "put", recorded.append)
    memory = 0
    for number in range(CREDENTIALS):
        presented = mutant(chance, known)
        if meaning(presented) in meanings:
            continue
        verdict = broker_auth.connect(broker=asking, presented=presented, address=ADDRESS, at=cast.NOON)
        assert not verdict.allowed and verdict.code not in ("accepted", "internal", "unavailable"), presented
        if len(recorded) == 500:
            keep(recorded)
        if number == CREDENTIALS // 4:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    keep(recorded)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < GROWTH_AT_MOST
    assert [model.objects.count() for model in (Device, ClientIdentity, Connection, DeviceLogEntry)] == before
    assert len(lookup._kept) <= lookup.KEPT_AT_MOST
    assert not caplog.records
