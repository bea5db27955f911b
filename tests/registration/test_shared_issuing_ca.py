"""One issuing CA for several products, and one that was taken from its product: what it has signed counts where it was meant to, or not."""

from typing import Any

import pytest

from console.crypto.certificates import reading, signing_keys
from devices.models import DeviceCertificate
from products.models import IssuedCertificate, IssuingCA, Product
from products.services import authority_upkeep, issuing_ca
from registration.services import explain_certificate
from tests import cast
from tests.cast import OPERATOR
from tests.products.issuing_cast import NOW, an_issuer, pem
from tests.registration.enrolling import IMEI, certified, connect, forget, pair_of, register, with_csr, with_own

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


@pytest.fixture(autouse=True)
def centers() -> None:
    cast.home()
    cast.frankfurt()


@pytest.fixture
def products() -> tuple[Product, Product]:
    """Tencent's kind and ours, whose devices' certificates one CA signs; a device of either has the same name."""
    found, issuer = (cast.tracker(), cast.meter()), an_issuer("Shared")
    for product in found:
        given: dict[str, Any] = {"certificate": pem(issuer.certificate).encode(), "key": signing_keys.pem_of(issuer.key).encode()}
        row = issuing_ca.take_up(product, **given, by=OPERATOR, at=NOW)
        issuing_ca.change(row.pk, {"answers_registration": True}, by=OPERATOR, at=NOW)
    forget()
    return found


def serve(product: Product, *served: Product) -> None:
    authority_upkeep.set_products(IssuingCA.objects.get(product=product).authority_id, served, by=OPERATOR, at=NOW)
    forget()


def test_nobody_is_a_device_by_registering_at_another_product(products: tuple[Product, Product]) -> None:
    tracker, meter = products
    cast.row(tracker, IMEI)
    cast.row(meter, IMEI, "x509")
    got = pair_of(register(tracker, IMEI)).certificate
    refused = connect(meter, IMEI, got)
    assert refused.code == "certificate_other_name" and not DeviceCertificate.objects.exists()
    told = explain_certificate.what_if(product=meter, data_center=cast.home(), device_name=IMEI, chain=[got.der], at=NOW)
    assert told.answer.path[-1] == "The certificate was issued here to a device of another product."
    assert connect(tracker, IMEI, got).code == "accepted"


def test_nor_does_it_register_with_such_a_certificate(products: tuple[Product, Product]) -> None:
    tracker, meter = products
    for product in products:
        cast.row(product, IMEI)
    tried = with_csr(meter, IMEI)
    assert with_own(tracker, IMEI, tried.answer.certificate).code == "certificate_other_name"
    assert connect(meter, IMEI, reading.read_one(tried.answer.certificate.encode())).code == "accepted"


def test_a_fingerprint_that_somebody_typed_says_who_it_is(products: tuple[Product, Product]) -> None:
    """An operator may move a device to another product with the certificate that it has."""
    tracker, meter = products
    cast.row(tracker, IMEI)
    got = pair_of(register(tracker, IMEI)).certificate
    cast.row(meter, IMEI, "x509", certificate_fingerprint=got.sha256)
    assert connect(meter, IMEI, got).code == "accepted"


def test_a_ca_that_was_taken_from_its_product_hands_out_nothing() -> None:
    meter = certified(cast.meter())
    cast.row(meter, IMEI)
    serve(meter)
    tried = with_csr(meter, IMEI)
    assert tried.code == "issuing_failed" and "no CA certificate of the product any more" in tried.entry.path[-1]
    assert not IssuedCertificate.objects.exists()
    serve(meter, meter)
    assert connect(meter, IMEI, reading.read_one(with_csr(meter, IMEI).answer.certificate.encode())).code == "accepted"
