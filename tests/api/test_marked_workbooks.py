"""The marked workbook for programs: ordered, downloaded, and kept from whoever may not read its secrets."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from console.models import AuditEntry
from console.shared import confirmation
from products.models import Product
from tests import cast
from tests.api.callers import ROOT, Program, make_key, owner

pytestmark = pytest.mark.django_db
BAD = b"DeviceName\r\nA4DA32000001\r\nnot a MAC\r\n"
WITH_SECRETS = b"DeviceName,DeviceSecret\r\nnot a MAC," + b"a" * 32 + b"\r\n"
IMPORT = "devices.add_preimporteddevice"


@pytest.fixture
def kettle(db: None) -> Product:
    cast.home()
    return cast.kettle()


def uploaded(kettle: Product, content: bytes) -> str:
    """The address of a checked workbook."""
    file, headers = SimpleUploadedFile("kettles.csv", content), {"Authorization": f"Bearer {make_key()[0]}"}
    upload = Client().post(f"{ROOT}/uploads", {"product_key": kettle.key, "file": file}, headers=headers).json()
    return f"/uploads/{upload['id']}/marked"


def content_of(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def test_a_workbook_comes_back_marked(kettle: Product) -> None:
    path, program = uploaded(kettle, BAD), Program(IMPORT)
    assert program.call("get", path).status_code == 404
    assert program.call("post", f"{path}/download").json()["code"] == "not_marked_yet"
    assert program.call("post", path).json()["is_ready"]
    assert b"not a MAC" in content_of(program.call("post", f"{path}/download"))
    assert program.call("get", path).json()["downloads"] == 1
    assert AuditEntry.objects.get(action="upload.download_marked").actor_name == "paula (Line 3)"


def test_a_workbook_without_a_fault_is_not_marked(kettle: Product) -> None:
    path = uploaded(kettle, b"DeviceName\r\nA4DA32000001\r\n")
    assert Program(IMPORT).call("post", path).json()["code"] == "nothing_to_mark"


def test_one_with_secrets_is_for_keys_that_read_device_secrets(kettle: Product) -> None:
    path, weak = uploaded(kettle, WITH_SECRETS), Program(IMPORT)
    assert weak.call("post", path).status_code == weak.call("post", f"{path}/download").status_code == 403
    strong = Program(IMPORT, "devices.reveal_device_secret")
    assert strong.call("post", path).json()["is_ready"]
    assert b"a" * 32 in content_of(strong.call("post", f"{path}/download"))


def test_a_person_confirms_first_who_downloads_one_with_secrets(kettle: Product) -> None:
    path, client = uploaded(kettle, WITH_SECRETS), Client()
    client.force_login(owner())
    assert client.post(f"{ROOT}{path}").status_code == 200
    session = client.session
    del session[confirmation.KEY]
    session.save()
    assert client.post(f"{ROOT}{path}/download").json()["code"] == "not_confirmed"


def test_another_product_s_workbook_is_not_there(kettle: Product) -> None:
    path = uploaded(kettle, BAD)
    assert Program(IMPORT, products=[cast.lamp()]).call("post", path).status_code == 404
