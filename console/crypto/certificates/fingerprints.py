"""Fingerprints as people have them: from a page, a line of a log, or what `openssl x509 -fingerprint` prints."""

import re

FORM = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""SHA-1 or SHA-256 as it is stored."""
_BEGINNING = re.compile(r"[0-9a-f]{1,64}")
_FILLING = str.maketrans("", "", ": \t\r\n\u00a0")


def bare(text: str) -> str:
    """Without colons and blanks, in lower case."""
    return text.translate(_FILLING).lower()


def beginning(text: str) -> str:
    """The hex digits of a fingerprint or of its beginning, also behind OpenSSL's `SHA1 Fingerprint=`; empty for anything else."""
    digits = bare(text.rpartition("=")[2])
    return digits if _BEGINNING.fullmatch(digits) else ""


def read(text: str) -> str:
    """The same for a whole one alone: 40 or 64 digits."""
    digits = beginning(text)
    return digits if FORM.fullmatch(digits) else ""
