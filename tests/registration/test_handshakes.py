"""The listener's TLS without a network: which contexts it makes, and why a handshake failed."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from registration.decision_codes import DecisionCode
from registration.servers import handshakes
from registration.servers.tls import ServerTls, certificates_of
from registration.services.turned_away import HandshakeFailed
from tests.openssl_pki import Factory, Made
from tests.registration.mutual_tls import TLS_1_2, TLS_1_3


class Pair:
    """A handshake in memory; `server` and `client` are its two ends."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None) -> None:
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(up, down, server_side=True)
        self.client = client.wrap_bio(down, up, server_hostname="localhost", session=session)

    def shake(self) -> "Pair":
        """Raises ssl.SSLError, the server's before the client's."""
        waiting: list[ssl.SSLObject] = [self.client, self.server]
        for _turn in range(8):
            for end in list(waiting):
                try:
                    end.do_handshake()
                    waiting.remove(end)
                except ssl.SSLWantReadError:
                    pass
        assert not waiting
        self.server.write(b"1")
        assert self.client.read(1) == b"1"  # What TLS 1.3 says of resuming comes with the first data.
        return self


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Factory:
    return Factory(tmp_path_factory.mktemp("factory"))


@pytest.fixture(scope="module")
def root(factory: Factory) -> Made:
    return factory.root()


@pytest.fixture
def tls(rsa_certificate: tuple[Path, Path]) -> ServerTls:
    return ServerTls(*rsa_certificate, "standard")


def der(made: Made) -> bytes:
    return ssl.PEM_cert_to_DER_cert(made.pem)


def client(rsa_certificate: tuple[Path, Path], made: Made | None = None, version: Any = TLS_1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(rsa_certificate[0]))
    context.minimum_version = context.maximum_version = version
    if made is not None:
        context.load_cert_chain(made.presented, made.key)
    return context


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_the_whole_chain_that_came_is_handed_on(
    tls: ServerTls, rsa_certificate: tuple[Path, Path], factory: Factory, root: Made, version: Any
) -> None:
    line = factory.intermediate(root)
    made = factory.device("crate-1", line)
    tls.trust([der(root)])
    assert certificates_of(Pair(tls.context, client(rsa_certificate, made, version)).shake().server) == (der(made), der(line))
    assert certificates_of(Pair(tls.context, client(rsa_certificate, None, version)).shake().server) == ()
    assert certificates_of(None) == ()


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_no_session_is_resumed_without_the_chain_of_its_device(
    tls: ServerTls, rsa_certificate: tuple[Path, Path], factory: Factory, root: Made, version: Any
) -> None:
    own = client(rsa_certificate, factory.device("crate-1", factory.intermediate(root)), version)
    first = Pair(tls.context, own).shake()
    assert Pair(tls.context, own, first.client.session).shake().server.session_reused, "as long as nobody is asked for a certificate"
    tls.trust([der(root)])
    asked = Pair(tls.context, own, first.client.session).shake()
    assert not asked.server.session_reused and len(certificates_of(asked.server)) == 2
    again = Pair(tls.context, own, asked.client.session).shake()
    assert len(certificates_of(again.server)) == 2


def test_nobody_is_asked_while_no_ca_certificate_is_on_file(
    tls: ServerTls, rsa_certificate: tuple[Path, Path], factory: Factory, root: Made
) -> None:
    made = factory.device("crate-1", root)
    before = tls.context
    tls.trust([])
    assert tls.context is before
    assert certificates_of(Pair(tls.context, client(rsa_certificate, made)).shake().server) == ()
    tls.trust([der(root)])
    asking = tls.context
    tls.trust((der(root),))
    assert tls.context is asking is not before, "the same ones are no news"
    tls.trust([])
    assert tls.context.verify_mode == ssl.CERT_NONE


def test_what_cannot_be_loaded_changes_nothing(tls: ServerTls, root: Made) -> None:
    tls.trust([der(root)])
    before = tls.context
    with pytest.raises(ssl.SSLError):
        tls.trust([der(root), b"no certificate"])
    assert tls.context is before
    tls.trust([der(root)])
    assert tls.context is before


def test_an_unknown_ca_is_refused_in_the_handshake(
    tls: ServerTls, rsa_certificate: tuple[Path, Path], factory: Factory, root: Made
) -> None:
    tls.trust([der(root)])
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        Pair(tls.context, client(rsa_certificate, factory.device("crate-1", factory.root("Stranger")))).shake()
    found = handshakes.refusal(caught.value)
    assert (found.code, found.facts["tls"]) == ("certificate_issuer_unknown", "unable to get local issuer certificate")


def test_every_word_of_openssl_has_a_code_of_the_log() -> None:
    for kind, _words in handshakes.OF_OPENSSL.values():
        assert kind.code in DecisionCode.values
    strange = ssl.SSLCertVerificationError(1, "strange")
    strange.verify_code, strange.verify_message = 4711, "something new"
    assert handshakes.refusal(strange).code == "certificate_refused"
    plain = ssl.SSLError(1, "plain")
    plain.reason = "NO_SHARED_CIPHER"
    assert isinstance(handshakes.refusal(plain), HandshakeFailed)
