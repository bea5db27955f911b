"""A broker's question as all kinds have it: named texts from a JSON body, a form or a query."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse

from console.errors import DomainError
from products.services.brokers import HookedBroker
from registration.api.doors import raw_body, with_length
from registration.protocols.base import Malformed
from registration.protocols.connecting import Presented
from registration.protocols.presented_certificates import DerChain, NoCertificatePresented
from registration.protocols.topics import Action
from registration.protocols.wire import json_object
from registration.services import broker_auth
from registration.services.broker_auth import Verdict

MAX_HOOK_BYTES: Final = 65_536
"""A CONNECT has at most 8,192 bytes, which JSON's escapes make six times as long."""
MAX_FIELDS: Final = 64
ACTIONS: Final[dict[str, Action]] = {"publish": "publish", "subscribe": "subscribe"}
SETTLED: Final = timedelta(seconds=5)
"""A connection this young is not the one that ended, where the broker names only the client: a client that is taken over by its own
newer connection is reported as gone after the newer one was let in."""


HandedOn = Callable[[Mapping[str, object]], DerChain]
"""The certificates among the fields of a question. Raises NoCertificatePresented, or the DomainError that refuses."""


class BadQuestion(DomainError):
    """A hook's request that cannot be understood."""

    code = "malformed"
    default_message = "The broker's question is not of its form."


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """`fields` hold a device's password, so nothing shows them. `call`: which of the broker's questions it is."""

    broker: HookedBroker
    call: str
    fields: Mapping[str, object]
    at: datetime

    def __repr__(self) -> str:
        """Without what was asked."""
        return f"Question({self.broker.name}, {self.call})"

    def text(self, name: str) -> str:
        """Empty where it is missing or null. Raises BadQuestion for what is no text that could be stored."""
        return text_of(self.fields.get(name))

    def moment(self, name: str) -> datetime | None:
        """From milliseconds since 1970; None where it is missing or no moment."""
        value = self.fields.get(name)
        try:
            return datetime.fromtimestamp(int(value) / 1000, UTC) if isinstance(value, (int, str)) and value else None
        except (ValueError, OverflowError, OSError):
            return None

    def connect(self, client_id: str, username: str, password: str, address: str = "", *, handed_on: HandedOn | None = None) -> Verdict:
        """The names of the fields that hold them. `handed_on`: how the device's certificate is found among the fields; who has none goes on
        by its password."""
        presented = Presented(self.text(client_id), self.text(username), self.text(password))
        with suppress(NoCertificatePresented):
            return self.decide(presented, self.address(address), handed_on or _nothing)
        return broker_auth.connect(broker=self.broker, presented=presented, address=self.address(address), at=self.at)

    def decide(self, presented: Presented, address: str, handed_on: HandedOn) -> Verdict:
        """With the certificate, and without a doubt: one that cannot be read is refused. Raises NoCertificatePresented."""
        try:
            certificates = handed_on(self.fields)
        except NoCertificatePresented:
            raise
        except DomainError as error:
            return broker_auth.refuse(broker=self.broker, presented=presented, address=address, error=error, at=self.at)
        return broker_auth.connect(broker=self.broker, presented=replace(presented, certificates=certificates), address=address, at=self.at)

    def may(self, client_id: str, username: str, action: Action, topic: str) -> bool:
        return broker_auth.authorize(broker=self.broker, username=username, client_id=client_id, action=action, topic=topic)

    def connected(self, client_id: str, *, session: str = "", address: str = "") -> None:
        """Nothing is said of a client without a name."""
        if client_id:
            broker_auth.connected(broker=self.broker, mqtt_client_id=client_id, session=session, address=address or None, at=self.at)

    def disconnected(self, client_id: str, *, at: datetime | None = None, began_at: datetime | None = None, reason: str = "") -> None:
        """`at`: by the broker's clock, which may be behind ours and is never believed to be ahead."""
        if client_id:
            at = min(at or self.at, self.at)
            began_at = began_at or at - SETTLED
            broker_auth.disconnected(broker=self.broker, mqtt_client_id=client_id, at=at, began_at=began_at, reason=reason)

    def address(self, name: str) -> str:
        return address_of(self.text(name)) if name else ""


def _nothing(fields: Mapping[str, object]) -> DerChain:
    raise NoCertificatePresented


Answer = Callable[[Question], HttpResponse]


def fields_of(request: HttpRequest) -> dict[str, object]:
    """From the body, or from the query where there is no body. Raises BadQuestion."""
    body = raw_body(request, MAX_HOOK_BYTES)
    if len(body) > MAX_HOOK_BYTES:
        raise BadQuestion("The body is too long.", field="body")
    if not body:
        return read_form(request.META.get("QUERY_STRING", "").encode("latin-1", "replace"))
    if request.META.get("CONTENT_TYPE", "").lower().startswith("application/x-www-form-urlencoded"):
        return read_form(body)
    try:
        return json_object(body)
    except Malformed as error:
        raise BadQuestion(error.message, field=error.field) from None


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a kind of broker asks. `refuse`: its own way to be told no, whatever it asked; `call_of`: where the call is not in the URL;
    `read`: what it asks with; `secret_header`: in place of a bearer token; `any_path`: what follows the call is not looked at."""

    kind: str
    calls: Mapping[str, Answer]
    refuse: Callable[[], HttpResponse]
    call_of: Callable[[HttpRequest], str] | None = None
    read: Callable[[HttpRequest], dict[str, object]] = fields_of
    methods: tuple[str, ...] = ("GET", "POST", "PUT")
    secret_header: str = ""
    any_path: bool = False


def read_form(text: bytes) -> dict[str, object]:
    """UTF-8 in percent signs, each name once. Raises BadQuestion."""
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadQuestion("The form cannot be read.", field="body") from None
    fields: dict[str, object] = dict(pairs)
    if len(fields) != len(pairs):
        raise BadQuestion("A field of the form is given twice.", field="body")
    return fields


def text_of(value: object) -> str:
    """Raises BadQuestion for a number, a list, or characters that no database takes."""
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise BadQuestion("A field is not a text.")
    return value


def address_of(text: str) -> str:
    """The IP address alone, from what brokers write: with a port, in brackets, IPv4 within IPv6. Empty for anything else."""
    for candidate in (text, text.rpartition(":")[0].strip("[]")):
        try:
            parsed = ip_address(candidate.strip())
        except ValueError:
            continue
        return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else str(parsed)
    return ""


def plain(words: bytes, status: int = 200, content_type: str = "text/plain") -> HttpResponse:
    """An answer with nothing but what the broker reads."""
    response = with_length(HttpResponse(words, status=status, content_type=content_type))
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django logs the path of every status from 400 on, with its secret.
    return response
