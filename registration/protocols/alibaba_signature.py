"""The one kind of signature that Alibaba's schemes have: the hexadecimal text of an HMAC over names and values in the names' order."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from console.words import say
from registration.protocols.base import BadSignature, UnknownAlgorithm
from registration.protocols.wire import same

DIGESTS: Final = {"hmacmd5": "md5", "hmacsha1": "sha1", "hmacsha256": "sha256"}
SHA1_HEX_DIGITS: Final = 40
NODE_NOTE: Final = "The signature is HMAC-SHA1 although the device declared {method}: the Node SDK always signs so, and it is accepted."


def text_of(fields: Mapping[str, str]) -> str:
    """All fields by name, each name directly followed by its value."""
    return "".join(name + value for name, value in sorted(fields.items()))


def sign(secret: str, text: str, method: str) -> str:
    """Lower-case hexadecimal digits: 32, 40 or 64."""
    return hmac.digest(secret.encode(), text.encode(), DIGESTS[method]).hex()


def check(secret: str, texts: Sequence[str], method: str, signature: str, *, method_field: str) -> tuple[str, ...]:
    """Notes, when `signature` is that of one of `texts` (the usual one first), in either letter case.

    The number of digits tells the digest, so 40 of them are checked as HMAC-SHA1 whatever `method` says.
    Raises UnknownAlgorithm or BadSignature.
    """
    declared = method.lower()
    if declared not in DIGESTS:
        raise UnknownAlgorithm(
            say("The signature method {method} is not one of {known}.", method=method, known=", ".join(DIGESTS)), field=method_field
        )
    used = "hmacsha1" if len(signature) == SHA1_HEX_DIGITS else declared
    if not any(same(sign(secret, text, used), signature.lower()) for text in texts):
        raise BadSignature(facts={"signed_text": texts[0]})
    return () if used == declared else (NODE_NOTE.format(method=method),)
