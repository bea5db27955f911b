"""What if it came with this certificate: the answer that the device would get, and nothing has changed afterwards."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from console.crypto.certificates import reading
from console.errors import DomainError
from devices.models import Authentication, Device
from devices.services import device_certificates, lifecycle
from products.models import Product
from registration.decision_codes import DecisionCode
from registration.models import DeviceLogEntry
from registration.services import explain_certificate
from tests import cast
from tests.cast import OPERATOR
from tests.devices import x509_devices
from tests.devices.x509_devices import NAME, Works
from tests.house import walking
from tests.products.issuing_cast import NOW, pem

pytestmark = pytest.mark.django_db
PAGE = "admin:registration_what_if_certificate"


@pytest.fixture(autouse=True)
def administrator(client: Client) -> None:
    cast.home()
    client.force_login(cast.administrator())


@pytest.fixture
def works() -> Works:
    return x509_devices.works(cast.kettle())


def asked(works: Works, certificate: bytes, name: str = "") -> explain_certificate.Explanation:
    return explain_certificate.what_if(product=works.product, data_center=cast.home(), device_name=name, chain=[certificate], at=NOW)


def unknown(works: Works) -> None:
    """Nobody imported it."""


def imported(works: Works) -> None:
    cast.row(works.product, NAME, Authentication.X509)


def imported_for_another(works: Works) -> None:
    cast.row(works.product, NAME, Authentication.X509, certificate_fingerprint="ab" * 20)


def dynamic(works: Works) -> None:
    cast.row(works.product, NAME)


def disabled(works: Works) -> None:
    lifecycle.disable(x509_devices.waiting(works.product), by=OPERATOR, at=NOW)


def revoked(works: Works) -> None:
    device_certificates.revoke(x509_devices.waiting(works.product), reason="unspecified", by=OPERATOR, at=NOW)


def pinned_to_another(works: Works) -> None:
    x509_devices.arrived(works.product, works.certificate())


def created_automatically(works: Works) -> None:
    Product.objects.filter(pk=works.product.pk).update(auto_create=True, auto_create_limit=1)


def created_beyond_the_limit(works: Works) -> None:
    Product.objects.filter(pk=works.product.pk).update(auto_create=True, auto_create_limit=1)
    x509_devices.present(works.product, works.certificate("A4C1380000FF"))


SITUATIONS = (
    (unknown, DecisionCode.DEVICE_UNKNOWN),
    (imported, DecisionCode.ACCEPTED),
    (imported_for_another, DecisionCode.CERTIFICATE_NOT_PINNED),
    (dynamic, DecisionCode.WRONG_AUTHENTICATION),
    (disabled, DecisionCode.DEVICE_DISABLED),
    (revoked, DecisionCode.DEVICE_CERTIFICATE_REVOKED),
    (pinned_to_another, DecisionCode.CERTIFICATE_NOT_PINNED),
    (created_automatically, DecisionCode.ACCEPTED),
    (created_beyond_the_limit, DecisionCode.AUTO_CREATE_LIMIT),
)


@pytest.mark.parametrize(("situation", "code"), SITUATIONS)
def test_the_answer_is_that_of_the_device_and_asking_changes_nothing(works: Works, situation: Any, code: str) -> None:
    situation(works)
    certificate = works.certificate()
    before = walking.fingerprint()
    told = asked(works, certificate.der)
    assert walking.fingerprint() == before
    assert (told.device_name, told.answer.code) == (NAME, code)
    assert met(works, certificate) == (code, "" if told.answer.accepted else told.answer.path[-1])


def met(works: Works, certificate: Any) -> tuple[str, str]:
    """What the device itself meets then, and the sentence that refuses it."""
    try:
        x509_devices.present(works.product, certificate)
    except DomainError as error:
        path: Any = getattr(error, "path", ())
        return error.code, path[-1] if path else error.message
    return DecisionCode.ACCEPTED, ""


@pytest.mark.parametrize("product", [cast.kettle, cast.lamp, cast.tracker])
def test_a_name_is_sent_in_the_form_of_the_product_s_vendor(product: Any) -> None:
    works = x509_devices.works(product())
    cast.row(works.product, NAME, Authentication.X509)
    assert asked(works, works.certificate().der, NAME).answer.accepted
    other = asked(works, works.certificate("A4C138000002").der, NAME).answer
    assert other.code == DecisionCode.CERTIFICATE_OTHER_NAME


@pytest.mark.parametrize("name", ["a/b", "x" * 150, "no MAC", ";", "&&", "äöü"])
@pytest.mark.parametrize("product", [cast.kettle, cast.tracker])
def test_a_name_that_no_device_can_have_is_refused_as_a_device_s(product: Any, name: str) -> None:
    works = x509_devices.works(product())
    answer = asked(works, works.certificate().der, name).answer
    assert not answer.accepted and answer.code != DecisionCode.INTERNAL


# -- The page ----------------------------------------------------------------------------------------------------------------------------
def test_the_page_takes_a_file_or_text_and_answers_for_every_data_center(client: Client, works: Works) -> None:
    cast.frankfurt()
    made = works.signed()
    certificate = reading.read(pem(made).encode())[0]
    x509_devices.arrived(works.product, certificate)
    for fields in ({"file": SimpleUploadedFile("device.pem", pem(made).encode())}, {"pasted": pem(made)}):
        answer = client.post(reverse(PAGE), {"product": works.product.key, "name": "", **fields})
        assert [center.name for center, _answers in answer.context["centers"]] == ["Shanghai", "Frankfurt"]
        content = answer.content.decode()
        assert f'data-copy="{certificate.sha256}"' in content
        assert "It is the certificate that is expected of this device." in content
        assert "It would appear in this data center" in content
    assert Device.objects.count() == 1


def test_an_answer_that_refuses_says_what_to_do(client: Client, works: Works) -> None:
    device = x509_devices.arrived(works.product, works.certificate())
    answer = client.post(reverse(PAGE), {"product": works.product.key, "pasted": pem(works.signed())})
    ((_center, (shown,)),) = answer.context["centers"]
    assert shown.answer.code == DecisionCode.CERTIFICATE_NOT_PINNED
    assert device.pk and "np-path__refused" in answer.content.decode()


def test_what_is_no_certificate_comes_back_into_the_form(client: Client, works: Works) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n"
    for pasted, words in (("nothing", "PEM"), (key, "private key"), ("", "one of the two")):
        answer = client.post(reverse(PAGE), {"product": works.product.key, "pasted": pasted})
        assert answer.status_code == 200 and "centers" not in answer.context
        assert answer.context["form"].errors and "MIGH" not in answer.content.decode()
        assert words in answer.content.decode()


def test_its_address_may_name_product_and_device(client: Client, works: Works) -> None:
    answer = client.get(reverse(PAGE), {"product": works.product.key, "name": NAME})
    assert f'value="{NAME}"' in answer.content.decode()
    assert f'<option value="{works.product.key}" selected>' in answer.content.decode()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"match": "first"}, ["How it was recognised", "none was expected yet: it is pinned"]),
        ({"match": "another day"}, ["another day"]),
        ({"expected": "ab" * 32, "seen": "cd" * 32}, ["Expected certificate", "ab" * 32, "Certificate that was presented", "cd" * 32]),
    ],
)
def test_the_log_says_in_words_how_a_certificate_was_recognised(client: Client, facts: dict[str, str], words: list[str]) -> None:
    center = cast.home()
    entry = DeviceLogEntry.objects.create(
        at=NOW, data_center=center, code=DecisionCode.CERTIFICATE_NOT_PINNED, accepted=False, request_id="0" * 32, facts=facts
    )
    url = reverse("admin:registration_devicelogentry_change", args=[f"{center.pk}-{entry.pk}"])
    content = client.get(url).content.decode()
    assert all(word in content for word in words)
