"""A run's files, and numbers that no device shall have."""

from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from console.models import AuditEntry
from devices.models import SerialNumber, SerialNumberRun
from devices.services import serial_number_making
from products.models import Product
from tests import cast
from tests.api.callers import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def kettle(db: None) -> Product:
    cast.home()
    return cast.kettle()


@pytest.fixture
def run(kettle: Product) -> SerialNumberRun:
    """Three numbers, made."""
    made = Program().call("post", "/serial-number-runs", {"product_key": kettle.key, "quantity": 3}).json()
    serial_number_making.fill(made["id"], clock=lambda: cast.NOON)
    return SerialNumberRun.objects.get()


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def test_a_run_is_downloaded_as_a_list_as_codes_and_as_labels(run: SerialNumberRun) -> None:
    program, path = Program("devices.download_serialnumbers"), f"/serial-number-runs/{run.pk}"
    sns = {number.sn for number in SerialNumber.objects.all()}
    listed = content(program.call("post", f"{path}/files/csv")).decode()
    assert all(sn in listed for sn in sns)
    assert set(ZipFile(BytesIO(content(program.call("post", f"{path}/files/png")))).namelist()) == {f"{sn}.png" for sn in sns}
    assert content(program.call("post", f"{path}/labels", {"sheet": "a4-3x8"})).startswith(b"%PDF")
    assert AuditEntry.objects.filter(action="serial_numbers.download").count() == 3


def test_what_cannot_be_downloaded_is_refused_and_not_audited(run: SerialNumberRun, kettle: Product) -> None:
    program, path = Program("devices.download_serialnumbers"), f"/serial-number-runs/{run.pk}"
    assert program.call("post", f"{path}/files/exe").status_code == 404
    assert program.call("post", f"{path}/labels", {"sheet": "a4-3x8", "last": 9}).json()["field"] == "first"
    assert program.call("post", f"{path}/labels", {"sheet": "none"}).status_code == 422
    assert Program("devices.view_serialnumberrun").call("post", f"{path}/files/csv").status_code == 403
    stranger = Program("devices.download_serialnumbers", products=[cast.lamp()])
    assert stranger.call("post", f"{path}/files/csv").status_code == 404
    SerialNumberRun.objects.update(state="running")
    assert program.call("post", f"{path}/files/csv").json()["code"] == "no_serial_numbers"
    assert not AuditEntry.objects.filter(action="serial_numbers.download").exists()


def test_a_number_is_voided_once_and_then_all_that_are_free(run: SerialNumberRun) -> None:
    program, number = Program("devices.cancel_serialnumberrun"), SerialNumber.objects.earliest("pk")
    assert program.call("post", f"/serial-numbers/{number.pk}/void", {"reason": "Spoiled"}).json()["state"] == "void"
    assert program.call("post", f"/serial-numbers/{number.pk}/void", {}).json()["code"] == "serial_number_not_free"
    assert program.call("post", f"/serial-number-runs/{run.pk}/void", {"reason": "Stolen"}).json() == {"voided": 2}
    assert program.call("post", f"/serial-number-runs/{run.pk}/void", {}).status_code == 409


def test_numbers_of_another_product_are_not_there_to_void(run: SerialNumberRun) -> None:
    stranger = Program("devices.cancel_serialnumberrun", products=[cast.lamp()])
    for path in (f"/serial-numbers/{SerialNumber.objects.earliest('pk').pk}/void", f"/serial-number-runs/{run.pk}/void"):
        assert stranger.call("post", path, {}).status_code == 404
    assert not SerialNumber.objects.void().exists()
