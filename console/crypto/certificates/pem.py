"""PEM text (RFC 7468): blocks between BEGIN and END, any explanation before them, nothing behind the last one."""

import binascii
import textwrap
from base64 import b64encode
from collections.abc import Iterator
from typing import Final

from console.crypto.certificates.errors import BadPem, TrailingBytes, WrongLabel
from console.words import say

CERTIFICATE: Final = ("CERTIFICATE", "X509 CERTIFICATE")
REQUEST: Final = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
BEGIN: Final = b"-----BEGIN "
_END, _DASHES = b"-----END ", b"-----"
_LONGEST_LABEL: Final = 64


def is_pem(data: bytes) -> bool:
    return BEGIN in data


def blocks(data: bytes, labels: tuple[str, ...]) -> Iterator[bytes]:
    """The bytes inside each block. Raises BadPem, WrongLabel or TrailingBytes; reads every byte once."""
    at = data.find(BEGIN)
    while at >= 0:
        label, body = _label(data, at + len(BEGIN))
        if label not in labels:
            words = "The PEM text holds a block labelled {label}, where {expected} is expected."
            raise WrongLabel(say(words, label=label, expected=labels[0]))
        end = data.find(_DASHES, body)
        if end < 0 or not data.startswith(_END, end):
            raise BadPem("A block of the PEM text has no END line.")
        closing, after = _label(data, end + len(_END))
        if closing != label:
            raise BadPem("A block of the PEM text ends with another label than it begins with.")
        yield _decoded(data[body:end])
        at = data.find(BEGIN, after)
        if at < 0 and (rest := data[after:].strip(b" \t\r\n\0\x1a")):
            raise TrailingBytes(say("{count:,} bytes follow after the end of the certificate.", count=len(rest)))


def armoured(der: bytes, label: str = CERTIFICATE[0]) -> str:
    """The PEM text of one block, with lines of 64 characters and a line feed at the end."""
    body = "\n".join(textwrap.wrap(b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def _label(data: bytes, at: int) -> tuple[str, int]:
    """The label that begins at `at`, and where its dashes end."""
    end = data.find(_DASHES, at, at + _LONGEST_LABEL + len(_DASHES))
    label = data[at:end] if end >= 0 else b""
    if not label or not label.isascii() or not label.decode("ascii").isprintable():
        raise BadPem("A BEGIN or END line of the PEM text is damaged.")
    return label.decode("ascii"), end + len(_DASHES)


def _decoded(body: bytes) -> bytes:
    try:
        decoded = binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
    except binascii.Error:
        raise BadPem("A block of the PEM text is not base64.") from None
    if not decoded:
        raise BadPem("A block of the PEM text is empty.")
    return decoded
