"""TLS of the MQTT listener: which host a device called, and the certificate that it proved itself with.

As soon as a CA certificate is on file (more than pending), every device is asked for a certificate; whoever has none goes on as before.
OpenSSL demands that one leads to any CA certificate on file, whatever its dates and its state: who it lets through is judged by
devices/rules/presented.py like everybody else. What it refuses is refused in the handshake (handshakes.py says why in our words).
"""

import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

STANDARD: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
LEGACY_RSA_CBC: Final = f"{STANDARD}:AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA"
"""With what Alibaba's C SDKs 3.x and 4.x have: TLS 1.2, RSA key exchange, CBC.

What it gives up for a device that chooses one of them: forward secrecy (who records the traffic and gets the key later reads all of it)
and authenticated encryption (CBC with a MAC beside it). Other devices still get the standard suites, which stand first.
"""

PROFILES: Final = {"standard": STANDARD, "legacy-rsa-cbc": LEGACY_RSA_CBC}
NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, for which the ssl module has no name: an expired certificate is refused by the judge, with its own reason."""


class ServerTls:
    """The context of a listener, and the host names that its devices asked for."""

    def __init__(self, cert: Path, key: Path, profile: str) -> None:
        """`profile`: one of PROFILES. Raises OSError or ssl.SSLError for files that are no certificate and its key."""
        self._files = (cert, key, profile)
        self._hosts: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._trusted: frozenset[bytes] = frozenset()
        self.context = self._made(self._trusted)

    def trust(self, authorities: Collection[bytes]) -> None:
        """The CA certificates on file, as DER; none: nobody is asked for a certificate. Handshakes that have begun end as they began.
        Raises OSError or ssl.SSLError, and then everything is as it was."""
        wanted = frozenset(authorities)
        if wanted != self._trusted:
            self.context, self._trusted = self._made(wanted), wanted

    def host(self, ssl_object: Any) -> str:
        """What this connection's device called us; empty if it did not say (Node's client never does)."""
        return self._hosts.get(ssl_object, "") if ssl_object is not None else ""

    def _made(self, authorities: frozenset[bytes]) -> ssl.SSLContext:
        cert, key, profile = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(PROFILES[profile])
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
        context.load_cert_chain(cert, key)
        context.sni_callback = self._asked_for
        if authorities:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
            context.load_verify_locations(cadata=b"".join(sorted(authorities)))
            # A ticket would bring back the device's certificate, but not the intermediate ones; a session that is kept here has them.
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        return context

    def _asked_for(self, ssl_object: Any, host: str | None, context: ssl.SSLContext) -> None:
        """The certificate is the same for every name."""
        if host:
            self._hosts[ssl_object] = host


def certificates_of(ssl_object: Any) -> tuple[bytes, ...]:
    """What the client of this connection proved itself with, as DER: its own first, then the intermediates that it sent."""
    leaf: bytes | None = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
    if leaf is None:
        return ()
    if hasattr(ssl_object, "get_unverified_chain"):  # From Python 3.13 on; before that the object inside has it.
        chain = [bytes(one) for one in ssl_object.get_unverified_chain()]
    else:
        chain = [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in ssl_object._sslobj.get_unverified_chain() or ()]
    return tuple(dict.fromkeys((leaf, *chain)))
