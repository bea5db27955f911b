"""TLS of the MQTT listener, and which host a device called."""

import ssl
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


class ServerTls:
    """The context of a listener, and the host names that its devices asked for."""

    def __init__(self, cert: Path, key: Path, profile: str) -> None:
        """`profile`: one of PROFILES. Raises OSError or ssl.SSLError for files that are no certificate and its key."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_ciphers(PROFILES[profile])
        self.context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
        self.context.load_cert_chain(cert, key)
        self.context.sni_callback = self._asked_for
        self._hosts: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def host(self, ssl_object: Any) -> str:
        """What this connection's device called us; empty if it did not say (Node's client never does)."""
        return self._hosts.get(ssl_object, "") if ssl_object is not None else ""

    def _asked_for(self, ssl_object: Any, host: str | None, context: ssl.SSLContext) -> None:
        """The certificate is the same for every name."""
        if host:
            self._hosts[ssl_object] = host
