"""A device that registers with a certificate of its own, or with a request (CSR) for one."""

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from console.crypto.certificates import reading
from devices.models import Device, DeviceCertificate
from products.models import IssuedCertificate, Product
from products.services import authority_states, issuing
from registration.models import DeviceLogEntry, UsedNonce
from registration.protocols.alibaba_mqtt import AlibabaMqtt
from registration.protocols.base import Credentials
from registration.services import enrolment
from tests import cast
from tests.cast import OPERATOR
from tests.devices import x509_devices
from tests.products.issuing_cast import NOW, a_request, pem, rsa_key
from tests.registration.enrolling import IMEI, certified, connect, csr_request, forget, with_csr, with_own
from tests.registration.knocking import SECRETS, send

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
NAME = "crate-1"


@pytest.fixture(autouse=True)
def centers() -> None:
    cast.home()
    cast.frankfurt()
    forget()


@pytest.fixture
def tracker() -> Product:
    """Of Tencent's kind; crate-1 is imported."""
    product = certified(cast.tracker())
    cast.row(product, NAME)
    return product


@pytest.fixture
def meter() -> Product:
    """Of our own kind; one IMEI is imported."""
    product = certified(cast.meter())
    cast.row(product, IMEI)
    return product


# -- A certificate that the device brings --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("member", ["ClientCert", "clientCert"])
@pytest.mark.parametrize("authentication", ["dynamic", "x509"])
def test_a_device_that_brings_its_own_is_pinned_to_it(tracker: Product, member: str, authentication: str) -> None:
    cast.row(tracker, "own-1", authentication)
    works = x509_devices.works(tracker)
    own, another = works.signed("own-1"), works.signed("own-1")
    tried = with_own(tracker, "own-1", pem(own), member=member)
    assert tried.code == "accepted" and tried.answer.own_certificate and not tried.answer.certificate
    seen = reading.read_one(pem(own).encode())
    assert DeviceCertificate.objects.get().sha256 == tried.entry.facts["certificate"] == seen.sha256
    assert "No certificate on its path is revoked." in tried.entry.path
    assert connect(tracker, "own-1", reading.read_one(pem(another).encode())).code == "certificate_not_pinned"
    assert connect(tracker, "own-1", seen).code == "accepted"
    assert not IssuedCertificate.objects.exists()


@pytest.mark.parametrize("case", ["another device", "unknown CA", "expired", "revoked", "other fingerprint", "unreadable", "a private key"])
def test_a_certificate_of_its_own_is_judged(tracker: Product, case: str) -> None:
    works = x509_devices.works(tracker)
    facts = {"certificate_fingerprint": "ab" * 20} if case == "other fingerprint" else {}
    cast.row(tracker, "own-1", "x509", **facts)
    shown, code, at = pem(works.signed("own-1")), "", NOW
    if case == "another device":
        shown, code = pem(works.signed("own-2")), "certificate_other_name"
    elif case == "unknown CA":
        shown, code = pem(x509_devices.works(cast.kettle(), "Foreign").signed("own-1")), "certificate_issuer_unknown"
    elif case == "expired":
        at, code = NOW + timedelta(days=400), "certificate_expired"
    elif case == "revoked":
        authority_states.deactivate(works.authority.pk, reason="lost", by=OPERATOR, at=NOW)
        forget()
        code = "certificate_ca_inactive"
    elif case == "other fingerprint":
        code = "certificate_not_pinned"
    elif case == "unreadable":
        shown, code = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "certificate_unreadable"
    else:
        shown, code = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "certificate_unreadable"
    tried = with_own(tracker, "own-1", shown, at=at)
    assert (tried.code, tried.answer.code) == (code, "InvalidParameterValue.ClientCert"), tried.entry.path
    assert not Device.objects.at(cast.home()).exists() and not DeviceCertificate.objects.exists()


def test_who_is_not_let_in_is_refused_for_that_before_its_certificate_is_looked_at(tracker: Product) -> None:
    works = x509_devices.works(tracker)
    assert with_own(tracker, "stranger", pem(works.signed("other"))).code == "not_imported"


@pytest.mark.parametrize("authentication", ["dynamic", "x509"])
def test_devices_that_bring_their_own_need_no_issuing_ca(authentication: str) -> None:
    product = cast.tracker()
    works = x509_devices.works(product)
    cast.row(product, "own-1", authentication)
    forget()
    own = works.signed("own-1")
    tried = with_own(product, "own-1", pem(own))
    assert tried.code == "accepted" and tried.answer.own_certificate and not tried.answer.device_secret
    assert with_own(product, "own-1", pem(own)).code == "accepted", "its answer may have been lost"
    assert with_own(product, "own-1", pem(works.signed("own-1"))).code == "certificate_not_pinned"
    assert connect(product, "own-1", reading.read_one(pem(own).encode())).code == "accepted"


def test_a_certificate_is_passed_over_where_none_could_be_good() -> None:
    product = cast.tracker()
    works = x509_devices.works(product)
    own = pem(works.signed(NAME))
    authority_states.deactivate(works.authority.pk, by=OPERATOR, at=NOW)
    cast.row(product, NAME)
    forget()
    tried = with_own(product, NAME, own)
    assert tried.code == "accepted" and tried.answer.device_secret and not tried.answer.own_certificate


# -- Native --------------------------------------------------------------------------------------------------------------------------------
def test_a_request_is_signed_and_the_device_connects(meter: Product) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    tried = with_csr(meter, IMEI, a_request(IMEI, key))
    assert tried.code == "accepted" and tried.answer.private_key == ""
    body = json.loads(tried.reply.body)
    assert "deviceSecret" not in body and body["certificateChain"].count("BEGIN") == 1
    certificate = reading.read_one(body["certificate"].encode())
    assert IssuedCertificate.objects.get().own_request
    assert connect(meter, IMEI, certificate).code == "accepted"


def test_a_request_without_a_name_and_one_with_an_rsa_key_are_signed_too(meter: Product) -> None:
    assert with_csr(meter, IMEI, a_request("")).code == "accepted"
    assert with_csr(meter, IMEI, a_request(IMEI, rsa_key())).code == "accepted"


@pytest.mark.parametrize("bad", ["name", "curve", "size"])
def test_a_bad_request_is_refused_with_its_nonce_used(meter: Product, bad: str) -> None:
    csr = {
        "name": a_request("another"),
        "curve": a_request(IMEI, ec.generate_private_key(ec.SECP521R1())),
        "size": a_request(IMEI, rsa_key(1024)),
    }
    tried = with_csr(meter, IMEI, csr[bad])
    assert (tried.code, tried.reply.status, UsedNonce.objects.count()) == ("bad_csr", 422, 1)
    assert not Device.objects.at(cast.home()).exists() and not IssuedCertificate.objects.exists()


def test_a_product_of_secrets_signs_no_request() -> None:
    meter = cast.meter()
    cast.row(meter, IMEI)
    tried = with_csr(meter, IMEI)
    assert (tried.code, tried.reply.status) == ("csr_not_taken", 422)
    assert with_csr(certified(meter), IMEI).code == "accepted"


def test_a_request_that_was_seen_before_costs_no_signature(meter: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    request = csr_request(meter, IMEI)
    assert send("native", request, at=NOW).code == "accepted"

    def never(**values: Any) -> Any:
        raise AssertionError("a certificate was made")

    monkeypatch.setattr(issuing, "issue_for", never)
    assert send("native", request, at=NOW).code == "nonce_used"
    assert IssuedCertificate.objects.count() == 1


def test_a_name_is_signed_in_its_stored_form_whatever_the_device_writes() -> None:
    kettle = cast.kettle()
    Product.objects.filter(pk=kettle.pk).update(wire_protocol="native")
    kettle.refresh_from_db()
    certified(kettle)
    cast.row(kettle, "0015A3B4C5D6")
    spelled = "00:15:a3:b4:c5:d6"
    tried = with_csr(kettle, spelled, a_request(spelled))
    assert tried.code == "accepted"
    certificate = reading.read_one(tried.answer.certificate.encode())
    assert certificate.common_names == ("0015A3B4C5D6",)
    assert connect(kettle, spelled, certificate).code == "accepted"


# -- Preregistration-free ------------------------------------------------------------------------------------------------------------------
def test_several_physical_devices_of_one_name_are_not_handed_certificates() -> None:
    tracker = certified(cast.tracker(preregistration_free=True))
    scheme = AlibabaMqtt(4, "regnwl")
    request = scheme.compose(Credentials(tracker.key, SECRETS[tracker.key], NAME), host="shanghai.devices.test", at=NOW, nonce=7)
    enrolment.register(protocol=scheme, request=request, peer_address="192.0.2.9", at=NOW)
    assert DeviceLogEntry.objects.latest("pk").code == "csr_missing"
    assert not Device.objects.at(cast.home()).exists()
