"""Products: generated and given keys, what must hold together, quota and codes (G2, G5)."""

import re

import pytest

from console.errors import Invalid
from console.models import AuditEntry
from products.models import DataCenter, Product
from products.services import data_centers, lookup, products, supply
from products.services.products import NameTaken, NewProduct
from products.services.supply import CodesExhausted, QuotaExceeded
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


def create(**facts: object) -> Product:
    chosen = {"name": "Lamp", "wire_protocol": "alibaba", "network_protocol": "mqtt", "device_name_kind": "mac"} | facts
    return products.create(NewProduct(**chosen), by=OPERATOR, at=NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wire", "key", "secret"),
    [
        ("alibaba", r"a1[A-Za-z0-9]{9}", r"[A-Za-z0-9]{16}"),
        ("native", r"a1[A-Za-z0-9]{9}", r"[A-Za-z0-9]{16}"),
        ("tencent", r"[A-Z0-9]{10}", r"[A-Za-z0-9]{24}"),
    ],
)
def test_generated_keys_have_the_form_of_their_wire_protocol(wire: str, key: str, secret: str) -> None:
    product = create(wire_protocol=wire)
    assert re.fullmatch(key, product.key)
    assert re.fullmatch(secret, products.reveal_secret(product, by=OPERATOR, at=NOON))


def test_a_fleet_brings_its_own_key_and_secret() -> None:
    product = create(key="a1ExpAkj9Hi", secret="h1nQFYPZS0mW1234")
    assert lookup.find_for_registration("a1ExpAkj9Hi", at=NOON).secrets == ("h1nQFYPZS0mW1234",)
    assert products.reveal_secret(product, by=OPERATOR, at=NOON) == "h1nQFYPZS0mW1234"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"key": "a1 x"}, "ProductKey"),
        ({"secret": "short"}, "ProductSecret"),
        ({"wire_protocol": "tencent", "key": "lower12345"}, "ProductKey"),
        ({"network_protocol": "bluetooth", "device_name_kind": "sn"}, "device_name_kind"),
        ({"device_quota": 500_001}, "device_quota"),
        ({"name": "  "}, "name"),
    ],
)
def test_it_names_the_field_that_is_wrong(facts: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        create(**facts)
    assert raised.value.field == field
    assert not Product.objects.exists()


def test_a_name_or_key_that_is_taken_is_refused() -> None:
    create(key="a1ExpAkj9Hi")
    with pytest.raises(NameTaken):
        create(name="Other", key="a1ExpAkj9Hi")
    with pytest.raises(NameTaken):
        create(name="Lamp")


def test_no_audit_line_holds_a_secret() -> None:
    product = create(secret="h1nQFYPZS0mW1234")
    products.reveal_secret(product, by=OPERATOR, at=NOON)
    assert AuditEntry.objects.filter(action="product.reveal_secret", actor_name="olga").count() == 1
    assert "h1nQFYPZS0mW1234" not in str(list(AuditEntry.objects.values()))


def test_quota_and_codes_are_taken_together_or_not_at_all() -> None:
    product = create(device_quota=100)
    supply.grant_codes(product, quantity=50, by=OPERATOR, at=NOON)
    supply.take(product.pk, devices=40, codes=40)
    with pytest.raises(CodesExhausted, match="10 activation codes left; 11"):
        supply.take(product.pk, devices=11, codes=11)
    with pytest.raises(QuotaExceeded, match="room for 60 more devices; 61"):
        supply.take(product.pk, devices=61)
    supply.give_back(product.pk, devices=40, codes=40)
    product.refresh_from_db()
    assert (product.devices_taken, product.codes_used, product.codes_left) == (0, 0, 50)


def test_an_audit_entry_is_never_changed_or_deleted() -> None:
    create()
    with pytest.raises(TypeError):
        AuditEntry.objects.update(action="x")
    with pytest.raises(TypeError):
        AuditEntry.objects.all().delete()
    with pytest.raises(TypeError):
        AuditEntry.objects.all()[0].delete()


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("frankfurt.devices.test", "eu-frankfurt"),
        ("FRANKFURT.devices.test.:8443", "eu-frankfurt"),
        ("elsewhere.test", "cn-shanghai"),
        ("", "cn-shanghai"),
        ("[::1]:80", "cn-shanghai"),
    ],
)
def test_the_host_decides_the_data_center_and_unknown_hosts_lead_home(host: str, code: str) -> None:
    cast.home()
    cast.frankfurt()
    assert data_centers.serving(host).code == code


def test_a_host_name_belongs_to_one_data_center() -> None:
    cast.home()
    cast.frankfurt()
    with pytest.raises(Exception, match="another data center"):
        data_centers.save(DataCenter(), code="x", name="X", database="default", hosts=["frankfurt.devices.test"], by=OPERATOR, at=NOON)
    with pytest.raises(Invalid, match="is not a host name"):
        data_centers.save(DataCenter(), code="x", name="X", database="default", hosts=["a b"], by=OPERATOR, at=NOON)


def test_there_is_one_home() -> None:
    home, frankfurt = cast.home(), cast.frankfurt()
    data_centers.make_home(frankfurt, by=OPERATOR, at=NOON)
    assert data_centers.serving("elsewhere.test").code == "eu-frankfurt"
    home.refresh_from_db()
    assert not home.is_home
