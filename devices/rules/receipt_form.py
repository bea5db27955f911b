"""A receipt as a file (docs/receipts.md): two lines of UTF-8, each ended by a line feed.

The first line is what is signed, without its line feed: one JSON object in the canonical form of RFC 8785, of texts, whole numbers,
lists and objects alone. The second is the Ed25519 signature of these bytes in base64. The receipt's SHA-256, by which the next one names
it, is that of the whole file. Version 1; fields may be added to it, and a reader passes over those that it does not know.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from console.errors import Invalid
from console.words import say

KIND: Final = "nameplate-receipt"
VERSION: Final = 1
SIZE_AT_MOST: Final = 4 << 20
SIGNATURE_SIZE: Final = 64
SUFFIX: Final = ".receipt"

_FILE: Final = {"format": str, "made_at": str, "name": str, "rows": int, "sha256": str, "size": int}
FORM: Final[Mapping[str, Any]] = {
    "batch": {
        "asked": int, "ended_at": str, "flashing_method": str, "made": int, "number": str, "requested_at": str, "requested_by": str,
        "skipped": int, "source": str, "state": str, "undone_at": str, "undone_by": str,
    },
    "devices": {"algorithm": str, "columns": [str], "count": int, "order": str, "root": str, "taken_at": str},
    "edition": int,
    "files": [_FILE],
    "installation": {"id": str, "name": str},
    "issued_at": str,
    "key": str,
    "kind": str,
    "number": int,
    "previous": str,
    "product": {"key": str, "name": str},
    "version": int,
}  # fmt: skip
"""The fields of version 1: the type of each, a list's of its members."""


class NotAReceipt(Invalid):
    """The file is not of this form; the message says where."""

    code = "not_a_receipt"
    default_message = "This is not a receipt."


@dataclass(frozen=True, slots=True)
class Receipt:
    """`content`: the file's bytes. `payload`: the signed ones among them. `facts`: what they say, of FORM. Nothing is proven yet."""

    content: bytes
    payload: bytes
    signature: bytes
    facts: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        return sha256_of(self.content)

    @property
    def number(self) -> int:
        return int(self.facts["number"])

    @property
    def batch(self) -> str:
        """Its number."""
        return str(self.facts["batch"]["number"])


def canonical(facts: Mapping[str, Any]) -> bytes:
    """RFC 8785 for texts, whole numbers, lists and objects with ASCII names. Raises TypeError for anything else."""
    _check_canonical(facts)
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def encode(payload: bytes, signature: bytes) -> bytes:
    return payload + b"\n" + b64encode(signature) + b"\n"


def decode(content: bytes) -> Receipt:
    """Raises NotAReceipt. The signature is not looked at yet."""
    if len(content) > SIZE_AT_MOST:
        raise NotAReceipt("The file is far too large for a receipt.")
    lines = content.split(b"\n")
    if b"\r" in content:
        raise NotAReceipt("The line ends of the file were changed on its way (CR LF): send it as an attachment, or in an archive.")
    if len(lines) != 3 or lines[2]:
        raise NotAReceipt("A receipt has two lines, each ended by a line feed.")
    facts = _read(lines[0])
    _check(facts, FORM, "")
    if not _is_canonical(facts, lines[0]):
        raise NotAReceipt("The first line is not in canonical form: the names of its fields sorted, and no spaces between them.")
    return Receipt(content, lines[0], _signature(lines[1]), facts)


def sha256_of(content: bytes) -> str:
    """64 lower-case hex digits."""
    return hashlib.sha256(content).hexdigest()


def moment(at: datetime | None) -> str:
    """UTC to the second: 2026-11-20T12:00:00Z; nothing for None. Later ones sort later."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _read(line: bytes) -> dict[str, Any]:
    """Raises NotAReceipt."""
    try:
        facts = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise NotAReceipt("The first line is not JSON in UTF-8.") from error
    if not isinstance(facts, dict) or facts.get("kind") != KIND:
        raise NotAReceipt("The first line is not that of a receipt.")
    version = facts.get("version")
    if version != VERSION:
        raise NotAReceipt(
            say("The receipt is of version {version}, and this program knows version {known}.", version=version, known=VERSION)
        )
    return facts


def _is_canonical(facts: Mapping[str, Any], line: bytes) -> bool:
    try:
        return canonical(facts) == line
    except (TypeError, ValueError):
        return False


def _check(value: Any, form: Any, place: str) -> None:
    """`place`: batch.made. Raises NotAReceipt."""
    kind: Any = type(form) if isinstance(form, (dict, list)) else form
    if type(value) is not kind:
        raise NotAReceipt(say("The field {field} is missing, or not of its type.", field=place))
    if isinstance(form, dict):
        for name, inner in form.items():
            _check(value.get(name), inner, f"{place}.{name}".lstrip("."))
    elif isinstance(form, list):
        for index, member in enumerate(value):
            _check(member, form[0], f"{place}.{index}")


def _signature(line: bytes) -> bytes:
    """64 bytes. Raises NotAReceipt."""
    try:
        signature = b64decode(line, validate=True)
    except NotBase64 as error:
        raise NotAReceipt("The second line is not base64.") from error
    if len(signature) != SIGNATURE_SIZE or b64encode(signature) != line:
        raise NotAReceipt("The second line is not a signature of 64 bytes.")
    return signature


def _check_canonical(value: Any) -> None:
    """Raises TypeError."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise TypeError(f"{name!r} is no name of a field.")
            _check_canonical(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_canonical(inner)
    elif not isinstance(value, str) and type(value) is not int:
        raise TypeError(f"{type(value).__name__} has no place in a receipt.")
