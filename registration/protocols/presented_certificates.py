"""The certificate that a proxy or a broker hands on: one reader for every form, from a header or a body's member to DER.

Nothing is believed that could be checked: the chain is verified by us whatever the proxy says of it (devices/rules/presented.py). Whether
the header came from a proxy at all is for the door to know; what a client writes itself looks the same.

| from | what comes |
|---|---|
| nginx | X-SSL-Client-Verify (SUCCESS, FAILED:reason, NONE), X-SSL-Client-Cert: $ssl_client_escaped_cert, a percent-encoded PEM |
| HAProxy | X-SSL-Client-Used, X-SSL-Client-Verify, X-SSL-Client-DER: ssl_c_der,base64; X-SSL-Client-Chain-DER: ssl_c_chain_der,base64 |
| Envoy | X-Forwarded-Client-Cert: elements of key=value pairs, Cert and Chain as percent-encoded PEM |
| EMQX | cert_pem: base64 of the DER, despite its name |
| VerneMQ | client_cert: base64 of the DER (with forward_connection_opts) |

Sources: nginx ngx_http_ssl_module; HAProxy configuration, 7.3.4; Envoy, HTTP header manipulation; emqx_auth_template.erl; VerneMQ webhooks.
"""

import binascii
import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_to_bytes

from console.crypto.certificates import pem, reading
from console.crypto.certificates.chains import MAX_PRESENTED
from console.crypto.certificates.errors import CertificateError
from console.errors import DomainError
from console.words import say
from registration.protocols import forwarded_client_cert
from registration.protocols.base import Malformed

DerChain = tuple[bytes, ...]
"""The leaf first, none twice. Nothing is verified."""

MAX_HEADER: Final = 65_536
"""Characters of one header or member; a percent-encoded chain of three certificates has some 8,000."""
VERIFY, CERTIFICATE = "X-SSL-Client-Verify", "X-SSL-Client-Cert"
USED, DER, CHAIN = "X-SSL-Client-Used", "X-SSL-Client-DER", "X-SSL-Client-Chain-DER"
FORWARDED: Final = "X-Forwarded-Client-Cert"
HEADERS: Final = (VERIFY, CERTIFICATE, USED, DER, CHAIN, FORWARDED)
_NOTHING: Final = ("", "undefined", "null")
"""What brokers write in Erlang for a client without a certificate."""


class NoCertificatePresented(DomainError):
    code = "no_certificate"
    default_message = "The client presented no certificate."


class ProxyRefused(DomainError):
    """`facts["verify"]`: the proxy's own reason."""

    code = "proxy_refused_certificate"
    default_message = "The proxy did not accept the client's certificate."


class Proxy(StrEnum):
    NGINX = "nginx"
    HAPROXY = "haproxy"
    ENVOY = "envoy"


def from_headers(proxy: Proxy, headers: Mapping[str, str]) -> DerChain:
    """Names of headers in any case. Raises NoCertificatePresented, ProxyRefused or Malformed."""
    return _READERS[proxy]({name.lower(): value for name, value in headers.items()})


def from_emqx(cert_pem: object) -> DerChain:
    """The member of the body. Raises NoCertificatePresented or Malformed."""
    return _member(cert_pem, "cert_pem")


def from_vernemq(client_cert: object) -> DerChain:
    """The member of the body. Raises NoCertificatePresented or Malformed."""
    return _member(client_cert, "client_cert")


def _nginx(headers: Mapping[str, str]) -> DerChain:
    """FAILED is not refused here: with `ssl_verify_client optional_no_ca` nginx leaves trust to us, and the handshake has proven that the
    client has the key. nginx hands on the leaf alone, so intermediate certificates have to be uploaded."""
    verify = _needed(headers, VERIFY)
    text = headers.get(CERTIFICATE.lower(), "")
    if verify == "NONE" and not text:
        raise NoCertificatePresented
    if verify != "SUCCESS" and not verify.startswith("FAILED"):
        raise Malformed(say("The header {name} says neither SUCCESS, FAILED nor NONE.", name=VERIFY), field=VERIFY)
    return _certificates(text, CERTIFICATE)


def _haproxy(headers: Mapping[str, str]) -> DerChain:
    """Without a certificate HAProxy says verify=0 as well, so `used` is asked first."""
    used, verify = _needed(headers, USED), _needed(headers, VERIFY)
    text = headers.get(DER.lower(), "")
    if used == "0" and not text:
        raise NoCertificatePresented
    if used != "1":
        raise Malformed(say("The headers {name} and {other} contradict each other.", name=USED, other=DER), field=USED)
    if verify != "0":
        words = "The proxy did not accept the client's certificate: {name} is {verify}."
        raise ProxyRefused(say(words, name=VERIFY, verify=verify[:40]), field=VERIFY, facts={"verify": verify[:40]})
    leaf = _certificates(text, DER)
    more = headers.get(CHAIN.lower(), "")
    return _once((*leaf, *_certificates(more, CHAIN)) if more else leaf, DER)


def _envoy(headers: Mapping[str, str]) -> DerChain:
    """Of several elements the last one, which the nearest proxy wrote; what the others say is theirs."""
    text = _short(headers.get(FORWARDED.lower(), ""), FORWARDED)
    if not text.strip():
        raise NoCertificatePresented
    pairs = forwarded_client_cert.last_element(text, FORWARDED)
    chain = _certificates(pairs["chain"], FORWARDED) if pairs.get("chain") else ()
    leaf = _certificates(pairs["cert"], FORWARDED) if pairs.get("cert") else chain[:1]
    if not leaf:
        words = "The header {name} carries no certificate: let Envoy set cert or chain (set_current_client_cert_details)."
        raise Malformed(say(words, name=FORWARDED), field=FORWARDED)
    if (chain and chain[0] != leaf[0]) or len(leaf) != 1 or not _is_hash_of(pairs.get("hash", ""), leaf[0]):
        raise Malformed(say("The parts of the header {name} are of different certificates.", name=FORWARDED), field=FORWARDED)
    return _once((*leaf, *chain), FORWARDED)


_READERS: Final[Mapping[Proxy, Callable[[Mapping[str, str]], DerChain]]] = {
    Proxy.NGINX: _nginx,
    Proxy.HAPROXY: _haproxy,
    Proxy.ENVOY: _envoy,
}


def _member(value: object, name: str) -> DerChain:
    if value is None or value in _NOTHING:
        raise NoCertificatePresented
    if not isinstance(value, str):
        raise Malformed(say("The field {name} is missing or is not a text.", name=name), field=name)
    return _certificates(value, name)


def _certificates(text: str, name: str) -> DerChain:
    """PEM, percent-encoded PEM, or base64 of DER. Raises Malformed."""
    data = _short(text, name).strip().encode("ascii")
    if b"," in data:
        raise Malformed(say("The header {name} came more than once.", name=name), field=name)
    if b"%" in data:
        # Not unquote_plus: a plus sign is a digit of base64.
        data = unquote_to_bytes(data)
    try:
        decoded = data if data.startswith(pem.BEGIN) else binascii.a2b_base64(b"".join(data.split()), strict_mode=True)
        return _once(reading.certificates_in(decoded), name)
    except binascii.Error:
        raise Malformed(say("The certificate in {name} is neither PEM nor base64.", name=name), field=name) from None
    except CertificateError as error:
        raise Malformed(error.message, field=name) from None


def _short(text: str, name: str) -> str:
    if len(text) > MAX_HEADER or not text.isascii():
        raise Malformed(say("The certificate in {name} is too long or is not ASCII.", name=name), field=name)
    return text


def _needed(headers: Mapping[str, str], name: str) -> str:
    if not (text := headers.get(name.lower(), "").strip()):
        raise Malformed(say("The proxy did not set the header {name}.", name=name), field=name)
    return text


def _once(chain: DerChain, name: str) -> DerChain:
    found = tuple(dict.fromkeys(chain))
    if len(found) > MAX_PRESENTED:
        raise Malformed(say("There are more than {most} certificates in {name}.", most=MAX_PRESENTED, name=name), field=name)
    return found


def _is_hash_of(text: str, der: bytes) -> bool:
    """Envoy's Hash is SHA-256 in hex; it need not be there."""
    return not text or text.lower() == hashlib.sha256(der).hexdigest()
