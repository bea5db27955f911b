"""What a broker is handed in place of a device's certificate, and what becomes of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.crypto.certificates import reading
from products.models import CertificateAuthority
from products.services import authorities, authority_upkeep
from registration.models import CertificateTicket, DeviceLogEntry
from registration.protocols.connecting import Presented
from registration.services import broker_auth, certificate_tickets, retention
from registration.services.certificate_tickets import LIFETIME, MARK, NAMELESS, Login, TicketUnknown
from tests import cast
from tests.openssl_pki import Factory, Made
from tests.registration.certificate_gateways import product_of, trust
from tests.registration.hooking import Hooking, broker
from tests.registration.test_broker_auth_races import at_once

NAME = "crate-1"
SECOND = timedelta(seconds=1)


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    return Factory(tmp_path)


@pytest.fixture
def root(db: None, factory: Factory) -> Made:
    cast.home()
    authorities.forget()
    return factory.root()


def chain_of(made: Made) -> tuple[bytes, ...]:
    return tuple(one.der for one in reading.read(made.presented.read_bytes()))


def issue(certificates: tuple[bytes, ...], username: str = "", password: bytes = b"", at: datetime = cast.NOON) -> Login:
    return certificate_tickets.issue(username=username, password=password, certificates=certificates, at=at)


def asked_with(login: Login) -> Presented:
    """What the broker asks about."""
    return Presented("crate-1-7", login.username, login.password.decode())


def test_a_ticket_brings_back_what_the_device_presented(factory: Factory, root: Made) -> None:
    chain = chain_of(factory.device(NAME, factory.intermediate(root)))
    assert len(chain) == 2
    login = issue(chain, "a1LampKey01/crate-1", b"a:password")
    assert login.username == "a1LampKey01/crate-1" and "password" not in repr(login)
    redeemed = certificate_tickets.redeem(asked_with(login), at=cast.NOON + LIFETIME)
    assert redeemed == Presented("crate-1-7", "a1LampKey01/crate-1", "a:password", chain)


def test_it_is_good_once_and_for_a_minute(factory: Factory, root: Made) -> None:
    chain = chain_of(factory.device(NAME, root))
    login = issue(chain)
    certificate_tickets.redeem(asked_with(login), at=cast.NOON)
    late = issue(chain)
    for old, at in ((login, cast.NOON), (late, cast.NOON + LIFETIME + SECOND), (Login("", f"{MARK}guessed:".encode()), cast.NOON)):
        with pytest.raises(TicketUnknown):
            certificate_tickets.redeem(asked_with(old), at=at)


def test_any_other_password_is_the_device_s_own(db: None) -> None:
    asked = Presented("c", "u", "nameplate-tickets are not for everyone")
    assert certificate_tickets.redeem(asked, at=cast.NOON) is asked


def test_the_table_holds_neither_ticket_nor_password(factory: Factory, root: Made) -> None:
    login = issue(chain_of(factory.device(NAME, root)), password=b"the device's own")
    token = login.password.decode().removeprefix(MARK).split(":")[0]
    stored = repr(CertificateTicket.objects.values().get())
    assert token not in stored and "own" not in stored


def test_tickets_that_nobody_redeemed_are_thrown_away(factory: Factory, root: Made) -> None:
    chain = chain_of(factory.device(NAME, root))
    issue(chain)
    issue(chain, at=cast.NOON + timedelta(hours=1))
    assert retention.purge_tickets(at=cast.NOON + LIFETIME + SECOND) == 1
    assert CertificateTicket.objects.count() == 1


def test_a_device_without_user_name_gets_that_of_its_certificate(factory: Factory, root: Made) -> None:
    product_of(root)
    chain = chain_of(factory.device(NAME, root))
    assert issue(chain).username == "a1LampKey01/crate-1"
    assert issue(chain_of(factory.device("x&a1LampKey01", root))).username == NAMELESS, "another scheme would read another name"
    assert issue(chain_of(factory.device(NAME, None))).username == NAMELESS
    bind_to_another_product()
    assert issue(chain).username == NAMELESS
    assert certificate_tickets.redeem(asked_with(issue(chain)), at=cast.NOON).username == ""


def bind_to_another_product() -> None:
    authority = CertificateAuthority.objects.get()
    products = [binding.product for binding in authority.bindings.select_related("product")]
    authority_upkeep.set_products(authority.pk, [*products, cast.kettle()], by=cast.OPERATOR, at=cast.NOON)
    authorities.forget()


def test_too_many_certificates_are_refused_as_such(factory: Factory, root: Made) -> None:
    product_of(root)
    leaf = chain_of(factory.device(NAME, root))
    others = tuple(chain_of(factory.device(f"crate-{number}", root))[0] for number in range(2, 16))
    login = issue(leaf + others, "a1LampKey01/crate-1", at=datetime.now(UTC))
    verdict = connect(broker("rabbitmq"), login)
    assert (verdict.allowed, verdict.code) == (False, "too_many_certificates")


def connect(asking: Hooking, login: Login) -> broker_auth.Verdict:
    return broker_auth.connect(broker=asking.hooked, presented=asked_with(login), address="198.51.100.23", at=datetime.now(UTC))


@pytest.mark.django_db
def test_a_forged_ticket_is_refused_and_not_in_the_log(root: Made) -> None:
    product_of(root)
    verdict = connect(broker("rabbitmq"), Login("a1LampKey01/crate-1", f"{MARK}forged-forged-forged:secret-of-the-device".encode()))
    assert (verdict.allowed, verdict.code) == (False, "certificate_refused")
    entry = DeviceLogEntry.objects.get()
    assert "unknown, used, or older" in entry.path[-1]
    assert "forged" not in repr(vars(entry)) and "secret-of" not in repr(vars(entry))


@pytest.mark.postgres
def test_of_twenty_that_redeem_a_ticket_at_once_one_gets_it(transactional_db: None, factory: Factory) -> None:
    cast.home()
    chain = chain_of(factory.device(NAME, None))
    for _round in range(5):
        login = issue(chain)

        def redeem(_number: int, login: Login = login) -> Any:
            try:
                return certificate_tickets.redeem(asked_with(login), at=cast.NOON).certificates
            except TicketUnknown:
                return None

        found = [one for one in at_once(20, redeem) if one is not None]
        assert found == [chain]


def test_pending_ca_certificates_are_not_on_file_for_handshakes(factory: Factory, root: Made) -> None:
    product = cast.lamp()
    new = authority_upkeep.NewAuthority(root.pem.encode(), products=(product,))
    authority_upkeep.upload(new, by=cast.OPERATOR, at=cast.NOON)
    assert authorities.certificates_on_file() == ()
    other = factory.root("Another Root")
    trust(product, other)
    assert authorities.certificates_on_file() == (reading.read_one(other.certificate.read_bytes()).der,)
