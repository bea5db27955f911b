"""What a device's certificate request (CSR, PKCS #10) must be, before an issuing CA signs its key.

Taken from it: the public key, and nothing else. Checked: its own signature (the device has the private key), kind and size of the key, the
subject's CN (equal to the DeviceName, or none), no request to be a CA. Ignored on purpose: further parts of the subject, the challenge
password, and every extension that it asks for: the console alone says what a certificate is for. A request that is passed on to a CA
outside, which may honour what it asks for, asks for no other device's name anywhere.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from console.crypto.certificates import requests
from console.crypto.certificates.certificate import shown
from console.crypto.certificates.errors import CertificateError
from console.crypto.certificates.issuing import PublicKey
from console.crypto.certificates.requests import CertificateRequest
from console.errors import DomainError
from console.words import say

LONGEST: Final = 6 * 1024
"""Bytes; a request for RSA-4096 has some 1,800 in PEM."""
RSA_BITS: Final = range(2048, 4097)
EXPONENTS: Final = range(65537, 2**64)
"""OpenSSL verifies with no longer one from 3,072 bits on, and each bit costs every verifier time."""
CURVES: Final = (ec.SECP256R1, ec.SECP384R1)


class BadRequest(DomainError):
    """`facts["fault"]`: which of the checks it fails, in one word."""

    code = "bad_csr"
    default_message = "The certificate request cannot be signed."


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A checked request. `spki_sha256`: of the key, 64 lower-case hex digits."""

    der: bytes
    public_key: PublicKey
    spki_sha256: str


def check(data: bytes, *, names: Collection[str], passed_on: bool = False) -> DeviceRequest:
    """`data`: PEM or DER. `names`: every spelling of the DeviceName that its CN may have. `passed_on`: to a CA outside. Raises
    BadRequest."""
    if len(data) > LONGEST:
        raise _bad("size", say("The certificate request is longer than {most:,} bytes.", most=LONGEST))
    try:
        request = requests.read_request(data)
    except CertificateError as error:
        raise BadRequest(error.message, field="csr", facts={"fault": error.code}) from None
    if len(request.common_names) > 1:
        raise _bad("names", say("The certificate request has more than one common name."))
    if any(name not in names for name in request.common_names):
        raise _bad("name", say("The certificate request is for {name}, not for this device.", name=request.common_names[0][:64]))
    if passed_on:
        _refuse_further_names(request, names)
    parsed = x509.load_der_x509_csr(request.der)
    _refuse_authority(parsed)
    return DeviceRequest(request.der, _public_key(parsed), request.spki_sha256)


def trusted(made: x509.CertificateSigningRequest) -> DeviceRequest:
    """One that was made here a moment ago."""
    key = _public_key(made)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return DeviceRequest(made.public_bytes(Encoding.DER), key, hashlib.sha256(spki).hexdigest())


def _public_key(parsed: x509.CertificateSigningRequest) -> PublicKey:
    key = parsed.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size not in RSA_BITS:
            raise _bad("key_size", say("The RSA key has {bits} bits; 2048 to 4096 are taken.", bits=key.key_size))
        if key.public_numbers().e not in EXPONENTS:
            raise _bad("exponent", say("The RSA key's public exponent is less than 65537 or longer than 64 bits."))
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, CURVES):
            raise _bad("curve", say("The key is on the curve {curve}; P-256 and P-384 are taken.", curve=key.curve.name))
        return key
    raise _bad("key_kind", say("The key is neither RSA nor ECDSA."))


def _refuse_authority(parsed: x509.CertificateSigningRequest) -> None:
    """A request that means to be a CA is a mistake at best: signing it as a device's would hide that."""
    try:
        asked = {type(extension.value): extension.value for extension in parsed.extensions}
    except (ValueError, x509.DuplicateExtension):
        raise _bad("extensions", say("The extensions that the certificate request asks for cannot be read.")) from None
    basic, usage = asked.get(x509.BasicConstraints), asked.get(x509.KeyUsage)
    signs = isinstance(usage, x509.KeyUsage) and (usage.key_cert_sign or usage.crl_sign)
    if signs or (isinstance(basic, x509.BasicConstraints) and basic.ca):
        raise _bad("authority", say("The certificate request asks to be a CA."))


def _refuse_further_names(request: CertificateRequest, names: Collection[str]) -> None:
    """Where DeviceNames may stand besides the CN: a CA that copies them would certify another device."""
    for name in (*request.alternative_names.all, *request.subject_serial_numbers):
        if name not in names:
            raise _bad("name", say("The certificate request is for {name}, not for this device.", name=shown(name)[:64]))


def _bad(fault: str, words: str) -> BadRequest:
    return BadRequest(words, field="csr", facts={"fault": fault})
