"""The payload of Tencent's answers: what it says, and how it is encrypted by the ProductSecret. The same for both interfaces.

Plaintexts (the cloud's, and those of the SDKs' parsers): `{"encryptionType":2,"psk":"..."}`,
`{"encryptionType":1,"clientCert":"...","clientKey":"..."}`, and `{"encryptionType":1}` alone for a device that brought its own certificate.
C is a text scanner: the members stand in this order, without a blank; line ends of PEM are the two characters backslash and n, which C
replaces in place by blank and line feed; any other escape breaks it, so that a PEM has no carriage return and nothing beyond ASCII. Its
buffers hold 5 KiB of certificate, key and envelope.
"""

import base64
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from registration.protocols.base import BadSignature, Grant, Malformed
from registration.protocols.wire import compact_json, json_object

AES_KEY_CHARACTERS: Final = 16
AES_IV: Final = b"0" * 16
BLOCK: Final = 16
MAX_PSK: Final = 64
"""Characters; the C SDKs copy a longer one over the end of their buffer."""
MAX_PLAIN: Final = 3600
"""Bytes of a plaintext, whose base64 and envelope must fit 5 KiB. The cloud's own with an RSA-2048 key had 3,011."""
ENCRYPTION_BY_CERTIFICATE: Final = 1
ENCRYPTION_BY_KEY: Final = 2


def plain_text_of(grant: Grant) -> bytes:
    """What the device reads. Raises ValueError for what would break firmware."""
    if grant.certificate:
        pair = {"clientCert": _lines(grant.certificate), "clientKey": _lines(grant.private_key)}
        return _short(compact_json({"encryptionType": ENCRYPTION_BY_CERTIFICATE, **pair}))
    if grant.own_certificate:
        return compact_json({"encryptionType": ENCRYPTION_BY_CERTIFICATE})
    if len(grant.device_secret) > MAX_PSK:
        raise ValueError(f"A DeviceSecret of more than {MAX_PSK} characters overflows the buffer of Tencent's C SDK.")
    return compact_json({"encryptionType": ENCRYPTION_BY_KEY, "psk": grant.device_secret})


def seal(plain: bytes, product_secret: str) -> tuple[int, str]:
    """Length of the plaintext in bytes and the encrypted payload in base64. NULs pad it to whole blocks."""
    encryptor = _cipher(product_secret).encryptor()
    sealed = encryptor.update(plain + b"\0" * (-len(plain) % BLOCK)) + encryptor.finalize()
    return len(plain), base64.b64encode(sealed).decode()


def unseal(length: object, payload: object, product_secret: str) -> dict[str, object]:
    """The members that a device finds in the payload. Raises Malformed."""
    try:
        sealed = base64.b64decode(str(payload), validate=True)
        decryptor = _cipher(product_secret).decryptor()
        plain = decryptor.update(sealed) + decryptor.finalize()
        return json_object(plain[: int(str(length))])
    except ValueError:
        raise Malformed("The payload cannot be decrypted.", field="payload") from None


def check_key_length(product_secret: str) -> None:
    """Raises BadSignature."""
    if len(product_secret.encode()) < AES_KEY_CHARACTERS:
        raise BadSignature("The ProductSecret is shorter than the 16 characters that this protocol encrypts with.")


def _lines(pem: str) -> str:
    if not pem or not pem.isascii() or "\r" in pem:
        raise ValueError("Tencent's SDKs read PEM in ASCII with line feeds alone.")
    return pem


def _short(plain: bytes) -> bytes:
    if len(plain) > MAX_PLAIN:
        raise ValueError(f"Certificate and key of more than {MAX_PLAIN} bytes overflow the buffer of Tencent's C SDK.")
    return plain


def _cipher(product_secret: str) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES128(product_secret.encode()[:AES_KEY_CHARACTERS]), modes.CBC(AES_IV))
