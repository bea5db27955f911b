"""Telling a private key, so that one in an upload is refused before anything else is looked at, and nothing of it is kept."""

import re
from typing import Final

_LABEL: Final = re.compile(rb"BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File|BEGIN PKCS12", re.IGNORECASE)
_LENGTH: Final = rb"(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)"
_SEQUENCE: Final = rb"\x30" + _LENGTH
_KEYS: Final = (
    rb"\x02\x01[\x00\x01]\x30",  # PKCS #8: a version, then the algorithm.
    rb"\x02\x01\x00\x02",  # PKCS #1, and DSA as OpenSSL once wrote it: a version, then a number.
    rb"\x02\x01\x01\x04",  # SEC 1: a version, then the number as a text of octets.
    rb"\x02\x01\x03\x30",  # PKCS #12.
    _SEQUENCE + rb"\x06.\x2a\x86\x48\x86\xf7\x0d\x01(?:\x05|\x0c\x01)",  # PKCS #8, encrypted by PKCS #5 or PKCS #12.
)
_DER: Final = re.compile(_SEQUENCE + rb"(?:" + rb"|".join(_KEYS) + rb")", re.DOTALL)


def named_in(text: bytes) -> bool:
    """Whether a PEM label names one, in UTF-16 as well."""
    return _LABEL.search(text.replace(b"\0", b"")) is not None


def is_one(data: bytes) -> bool:
    """Whether DER (or BER) data begin as a key or a key store does; they need not be whole."""
    return _DER.match(data) is not None
