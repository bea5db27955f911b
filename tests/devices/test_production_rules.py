"""What may be produced and how, and what stands in the files: pure rules."""

import hashlib

import pytest

from console.errors import DomainError, Invalid
from devices.rules import activation_codes, production
from devices.rules.production import Line, MethodOff, NamesCannotBeMade, Naming, NotPublished, UploadOnly

OPEN = Line(published=True, per_product_secret=True, device_name_kind="mac")


def check(line: Line = OPEN, method: str = "per_device", source: str = "automatic", quantity: int = 10) -> Naming:
    return production.check(line, method=method, source=source, quantity=quantity)


@pytest.mark.parametrize(
    ("kind", "source", "naming"),
    [
        ("mac", "automatic", Naming.POOL),
        ("sn", "automatic", Naming.RANDOM),
        ("free", "automatic", Naming.RANDOM),
        ("mac", "upload", Naming.UPLOAD),
        ("imei", "upload", Naming.UPLOAD),
    ],
)
def test_names_come_from_where_their_kind_has_them(kind: str, source: str, naming: Naming) -> None:
    assert check(Line(True, False, kind), source=source) is naming


@pytest.mark.parametrize(
    ("line", "method", "source", "refusal"),
    [
        (Line(False, True, "mac"), "per_device", "automatic", NotPublished),
        (Line(False, True, "mac"), "per_product", "upload", NotPublished),
        (Line(True, False, "mac"), "per_product", "upload", MethodOff),
        (OPEN, "per_product", "automatic", UploadOnly),
        (Line(True, True, "imei"), "per_device", "automatic", NamesCannotBeMade),
    ],
)
def test_it_refuses_what_the_product_does_not_allow(line: Line, method: str, source: str, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        check(line, method, source)


def test_the_per_product_method_takes_uploads_where_it_is_enabled() -> None:
    assert check(method="per_product", source="upload") is Naming.UPLOAD


@pytest.mark.parametrize("quantity", [0, -1, 500_001])
def test_it_refuses_a_quantity_that_no_batch_has(quantity: int) -> None:
    with pytest.raises(Invalid) as refusal:
        check(quantity=quantity)
    assert refusal.value.field == "quantity"


@pytest.mark.parametrize(
    ("method", "allows_static", "authentication"),
    [("per_device", True, "static"), ("per_device", False, "dynamic"), ("per_product", True, "dynamic"), ("per_product", False, "dynamic")],
)
def test_a_device_with_its_own_secret_is_static_where_it_may_be(method: str, allows_static: bool, authentication: str) -> None:
    assert production.authentication(method, allows_static=allows_static) == authentication


def test_the_columns_are_what_must_be_flashed() -> None:
    own = activation_codes.per_device("a1key")
    assert own.columns == ("ProductKey", "DeviceName", "DeviceSecret")
    assert list(own.rows(["A4DA32000001"], ["s3cret"])) == [("a1key", "A4DA32000001", "s3cret")]
    shared = activation_codes.per_product("a1key", "product s3cret")
    assert shared.columns == ("ProductKey", "ProductSecret", "DeviceName")
    assert list(shared.rows(["A4DA32000001"], [])) == [("a1key", "product s3cret", "A4DA32000001")]
    assert not shared.device_secrets


@pytest.mark.parametrize(("stride", "bluetooth"), [(1, "a4da320000ff"), (2, "a4da32000100"), (4, "a4da32000100")])
def test_the_aligenie_file_has_its_six_columns(stride: int, bluetooth: str) -> None:
    layout = activation_codes.aligenie("a1key", stride=stride)
    assert layout.columns == ("Product ID", "Device Secret", "Mac Lower", "Md5", "Mac Upper", "Bluetooth Mac Lower")
    checksum = hashlib.md5(b"s3cret", usedforsecurity=False).hexdigest()
    row = ("a1key", "s3cret", "a4da320000ff", checksum, "A4DA320000FF", bluetooth)
    assert list(layout.rows(["A4DA320000FF"], ["s3cret"])) == [row]


def test_the_aligenie_file_is_for_mac_addresses_with_their_own_secret() -> None:
    assert activation_codes.fits("aligenie", method="per_device", device_name_kind="mac")
    assert not activation_codes.fits("aligenie", method="per_product", device_name_kind="mac")
    assert not activation_codes.fits("aligenie", method="per_device", device_name_kind="sn")
    assert activation_codes.fits("csv", method="per_product", device_name_kind="sn")
