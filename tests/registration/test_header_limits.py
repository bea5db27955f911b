"""How long a header may be at the real server: a certification path that a proxy hands on fits, and no more than is of use."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from console import gunicorn_settings
from registration.protocols import presented_certificates
from registration.protocols.presented_certificates import Proxy
from tests import cast
from tests.processes import Server
from tests.registration.golden_certificates import envoy_escaped
from tests.registration.raw_http import RawAnswer, exchange, request_bytes

FORWARDED = "X-Forwarded-Client-Cert"


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


def asked(server: Server, value: str) -> RawAnswer:
    with server.connect() as connection:
        return exchange(connection, request_bytes("/healthz", {"Host": "127.0.0.1", FORWARDED: value}, b"", method="GET"))


def forwarded(certificates: int = 3) -> str:
    """As Envoy writes it with cert and chain: RSA with 4,096 bits, a CRL's address in each."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    now = datetime.now(UTC)
    address = x509.UniformResourceIdentifier("http://crl.example.com/ca/1.crl")

    def one(number: int) -> str:
        names = (NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Example Works Manufacturing"), (NameOID.COMMON_NAME, f"{number}")
        name = x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        points = x509.CRLDistributionPoints([x509.DistributionPoint([address], None, None, None)])
        return builder.add_extension(points, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    made = [one(number) for number in range(certificates)]
    return f'Cert="{envoy_escaped(made[0])}";Chain="{envoy_escaped("".join(made))}"'


def test_a_path_of_three_large_certificates_comes_through(running_server: Server) -> None:
    value = forwarded()
    assert 8190 < len(value) < gunicorn_settings.limit_request_field_size
    assert len(presented_certificates.from_headers(Proxy.ENVOY, {FORWARDED: value})) == 3
    assert "200" in asked(running_server, value).status_line


def test_a_header_beyond_the_limit_is_refused_and_the_server_goes_on(running_server: Server) -> None:
    most = gunicorn_settings.limit_request_field_size
    assert " 431 " in asked(running_server, "x" * (most + 100)).status_line
    assert "200" in asked(running_server, "x" * (most - 100)).status_line
    assert most <= presented_certificates.MAX_HEADER, "what comes through, the reader reads"
