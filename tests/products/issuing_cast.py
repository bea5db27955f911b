"""What tests of issuing share: issuing CAs, requests, the openssl command, a CA outside and a server of lists on this machine."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from console.crypto.certificates import issuing
from console.crypto.certificates.issuing import Issuer, KeyKind
from products.models import IssuedCertificate, IssuingCA, Product
from products.services import issuing as services
from products.services import issuing_ca, issuing_profiles
from tests.cast import OPERATOR

NOW = datetime.now(UTC).replace(microsecond=0)
"""The real time: openssl looks at its own clock."""
DEVICE = "A4C138000001"


def an_issuer(name: str = "Meter devices", kind: KeyKind = KeyKind.EC_P256, *, days: int = 3650, at: datetime = NOW) -> Issuer:
    return issuing.make_issuer(name, kind=kind, days=days, serial=issuing.draw_serial(), at=at)


def own_ca(product: Product, name: str = "Meter devices", kind: str = "ec-p256", **profile: Any) -> IssuingCA:
    """A CA made in the console, answering registrations."""
    row = issuing_ca.make(product, name=name, kind=kind, by=OPERATOR, at=NOW)
    facts: dict[str, Any] = {"answers_registration": product.wire_protocol != "alibaba", **profile}
    return issuing_ca.change(row.pk, facts, by=OPERATOR, at=NOW)


def stored(product: Product, name: str = DEVICE) -> IssuedCertificate:
    """A certificate that was issued to a device, by a CA made in the console."""
    own_ca(product, name=f"{product.name} devices")
    issuing_profiles.forget()
    made = services.issue_for(product_id=product.pk, device_name=name, csr=None, at=NOW)
    return services.record(made, data_center_id=None, only_one=False, at=NOW)


def a_request(name: str = DEVICE, key: Any = None, *extensions: x509.ExtensionType) -> bytes:
    """A CSR as DER. `name`: the CN, empty for none."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else []
    builder = x509.CertificateSigningRequestBuilder(x509.Name(attributes))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    key = key or ec.generate_private_key(ec.SECP256R1())
    return builder.sign(key, issuing.signature_hash(key)).public_bytes(Encoding.DER)


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def openssl(*arguments: str, data: bytes = b"", good: bool = True) -> str:
    """What the real program says. `good`: it must be content."""
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert (done.returncode == 0) == good, said
    return said


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def write(folder: Path, name: str, content: str | bytes) -> str:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(file)


def outside_answer(issuer: Issuer, request: bytes, name: str = "", *, days: int = 365) -> x509.Certificate:
    """What an outside CA makes of a request."""
    parsed = x509.load_der_x509_csr(request)
    found = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    common_name = name or (str(found[0].value) if found else DEVICE)
    profile = issuing.Profile(days)
    key: Any = parsed.public_key()
    return issuing.issue(issuer, device_name=common_name, public_key=key, profile=profile, serial=issuing.draw_serial(), at=NOW)


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def server(answer: Callable[[Any, bytes], Answer | None]) -> Iterator[str]:
    """A server on this machine: `answer` gets the request's handler and body; None sends nothing at all. Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = answer(self, body)
            if given is None:
                return
            status, headers, content = given
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _do  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)
