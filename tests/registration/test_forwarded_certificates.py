"""What reaches the running server straight, byte by byte: a header as Envoy writes it, and headers of whoever is no proxy of ours."""

from urllib.parse import quote

import pytest

from devices.models import Device
from products.models import BrokerKind, Product
from tests import cast
from tests.gateways import Answer
from tests.openssl_pki import Factory, Made
from tests.processes import Server
from tests.registration import certificate_gateways, hooking
from tests.registration.certificate_gateways import DEVICE, Certificates, is_let_in, logged, nothing_is_logged, pinned, product_of
from tests.registration.raw_http import exchange, request_bytes

HOP = "By=spiffe://works.test/gateway"


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    cast.home()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificate_gateways.make(Factory(tmp_path_factory.mktemp("factory")))


@pytest.fixture
def product(home: None, made: Certificates) -> Product:
    return product_of(made.root)


@pytest.fixture
def secret(home: None) -> str:
    return hooking.broker(BrokerKind.ENVOY).secret


def ask(server: Server, headers: dict[str, str], path: str = "/hooks/envoy/connect") -> Answer:
    with server.connect() as connection:
        answer = exchange(connection, request_bytes(path, {"Host": "127.0.0.1", **headers}, b""))
    return Answer(int(answer.status_line.split()[1]), answer.body, dict(answer.headers))


def element(device: Made, *, chain: bool = True, digest: str = "") -> str:
    """As Envoy writes it with all of `set_current_client_cert_details` switched on (Envoy, HTTP header manipulation)."""
    parts = [HOP, f"Hash={digest or device.sha256}", f'Cert="{quote(device.pem, safe="")}"']
    parts += [f'Chain="{quote(device.presented.read_text(), safe="")}"'] if chain else []
    return ";".join([*parts, f'Subject="CN={DEVICE},O=Works, \\"Line 3\\""', "URI=", "DNS=crate-1.works.test", "DNS=crate-1"])


@pytest.mark.parametrize("chain", [True, False])
def test_a_header_as_envoy_writes_it_lets_the_device_in(
    running_server: Server, product: Product, made: Certificates, secret: str, chain: bool
) -> None:
    answer = ask(running_server, {"X-Proxy-Secret": secret, "X-Forwarded-Client-Cert": element(made.good, chain=chain)})
    assert is_let_in(answer)
    assert (answer.headers["X-Device-Product-Key"], answer.headers["X-Device-Name"]) == (product.key, DEVICE)
    assert (logged().code, pinned()) == ("accepted", made.good.sha256)


def test_its_chain_has_the_intermediate_certificate(running_server: Server, product: Product, made: Certificates, secret: str) -> None:
    headers = {"X-Proxy-Secret": secret, "X-Forwarded-Client-Cert": element(made.below), "X-Product-Key": product.key}
    assert is_let_in(ask(running_server, headers))
    assert pinned() == made.below.sha256
    headers["X-Forwarded-Client-Cert"] = element(made.below, chain=False)
    assert not is_let_in(ask(running_server, headers))
    assert logged(2).code == "certificate_issuer_unknown"


def test_of_several_elements_the_nearest_proxy_s_counts(running_server: Server, product: Product, made: Certificates, secret: str) -> None:
    both = {"X-Proxy-Secret": secret, "X-Product-Key": product.key}
    assert not is_let_in(ask(running_server, both | {"X-Forwarded-Client-Cert": f"{element(made.good)},{element(made.stranger)}"}))
    assert logged().code == "certificate_issuer_unknown"
    assert is_let_in(ask(running_server, both | {"X-Forwarded-Client-Cert": f"{element(made.stranger)},{element(made.good)}"}))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(lambda made: element(made.good, digest=made.other.sha256), id="another hash"),
        pytest.param(lambda made: element(made.good) + ",", id="an empty element at the end"),
        pytest.param(lambda made: element(made.good)[:-700], id="cut"),
        pytest.param(lambda made: f"{HOP};Hash={made.good.sha256}", id="no certificate"),
        pytest.param(lambda made: f'{HOP};Cert="{quote(made.good.pem + made.other.pem)}"', id="two certificates"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(
    running_server: Server, product: Product, made: Certificates, secret: str, header: object
) -> None:
    text = header(made)  # type: ignore[operator]
    assert not is_let_in(ask(running_server, {"X-Proxy-Secret": secret, "X-Forwarded-Client-Cert": text, "X-Product-Key": product.key}))
    assert not Device.objects.at(cast.home()).exists()


@pytest.mark.parametrize("kind", ["nginx", "haproxy", "envoy"])
@pytest.mark.parametrize("proof", [{}, {"X-Proxy-Secret": ""}, {"X-Proxy-Secret": "guessed"}, {"Authorization": "Bearer guessed"}], ids=str)
def test_who_does_not_know_the_secret_is_refused_and_its_headers_are_not_read(
    running_server: Server, product: Product, made: Certificates, kind: str, proof: dict[str, str]
) -> None:
    """A client that reaches the server past the proxy writes what the proxy would write."""
    hooking.broker(kind)
    headers = {
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-Used": "1",
        "X-SSL-Client-Cert": quote(made.good.pem),
        "X-Forwarded-Client-Cert": element(made.good),
        "X-Product-Key": product.key,
    }
    for path in (f"/hooks/{kind}/connect", f"/hooks/{kind}/guessed/connect"):
        assert ask(running_server, headers | proof, path).status == 403
    assert nothing_is_logged()
    assert not Device.objects.at(cast.home()).exists()


def test_the_secret_of_one_kind_opens_no_other(running_server: Server, product: Product, made: Certificates, secret: str) -> None:
    headers = {"X-Proxy-Secret": secret, "X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": quote(made.good.pem)}
    assert ask(running_server, headers, "/hooks/nginx/connect").status == 403
    assert nothing_is_logged()


def test_other_doors_do_not_read_these_headers(running_server: Server, product: Product, made: Certificates, secret: str) -> None:
    forged = {"X-Forwarded-Client-Cert": element(made.good), "X-Proxy-Secret": secret}
    assert ask(running_server, forged, "/api/v1/register").status != 200
    assert ask(running_server, forged, "/login/").status != 200
    assert not Device.objects.at(cast.home()).exists()
