"""Long work of all kinds in one list, and its end."""

from datetime import timedelta
from typing import Any

import pytest

from console.shared.jobs import JobState
from devices.models import Batch, SerialNumberRun, Upload
from products.models import Product
from tests import cast
from tests.api.callers import Program, make_key, owner
from tests.cast import NOON

pytestmark = pytest.mark.django_db
FILE = {"file_name": "kettles.xlsx", "size": 1, "path": "x"}


def work(product: Product, minutes: int, **facts: Any) -> list[Any]:
    """A batch, a workbook and a run that were asked for in this minute, in this order."""
    at = NOON + timedelta(minutes=minutes)
    job = {"product": product, "state": JobState.QUEUED, "total": 5, **facts}
    return [
        Batch.objects.create(**job, requested_at=at, source="automatic", flashing_method="per_device"),
        Upload.objects.create(**job, **FILE, requested_at=at + timedelta(seconds=1), expires_at=at, token=f"{product.pk}-{minutes}"),
        SerialNumberRun.objects.create(**job, requested_at=at + timedelta(seconds=2), length=8),
    ]


def named(items: Any) -> list[tuple[str, int]]:
    return [(item["kind"], item["id"]) for item in items]


def pages(program: Program, path: str) -> list[list[tuple[str, int]]]:
    found, following = [], path
    while following:
        body = program.call("get", following).json()
        found.append(named(body["items"]))
        following = body["next"]
    return found


def test_all_kinds_come_in_one_list_each_job_once_however_it_is_paged() -> None:
    kettle = cast.kettle()
    made = [job for minutes in range(3) for job in work(kettle, minutes)]
    expected = [(job._meta.model_name, job.pk) for job in reversed(made)]
    for limit in (1, 2, 4, 50):
        found = pages(Program(key=make_key()[0]), f"/jobs?limit={limit}")
        assert [job for page in found for job in page] == expected
        assert all(len(page) == limit for page in found[:-1])


def test_filters_keep_what_was_asked_for() -> None:
    batch, upload, run = work(cast.kettle(), 0)
    Upload.objects.filter(pk=upload.pk).update(state=JobState.DONE)
    SerialNumberRun.objects.filter(pk=run.pk).update(requested_by=owner())
    program = Program()
    assert named(program.call("get", "/jobs?kind=batch").json()["items"]) == [("batch", batch.pk)]
    assert named(program.call("get", "/jobs?state=done").json()["items"]) == [("upload", upload.pk)]
    assert named(program.call("get", "/jobs?mine=true").json()["items"]) == [("serialnumberrun", run.pk)]
    for refused in ("kind=nothing", "state=nothing", "cursor=MTpiYXRjaD14", "cursor=MTp4", "limit=0", "person=1"):
        assert program.call("get", f"/jobs?{refused}").status_code == 422, refused


def test_a_key_sees_the_kinds_it_is_for_and_its_own_products_alone() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    (batch, _upload, _run), others = work(kettle, 0), work(lamp, 1)
    program = Program("devices.view_batch", products=[kettle])
    assert named(program.call("get", "/jobs").json()["items"]) == [("batch", batch.pk)]
    assert program.call("get", f"/jobs/batch/{batch.pk}").json()["label"] == batch.number
    for gone in (f"/jobs/batch/{others[0].pk}", f"/jobs/upload/{_upload.pk}", "/jobs/nothing/1"):
        assert program.call("get", gone).status_code == 404


def test_a_job_is_cancelled_once_and_by_whoever_may() -> None:
    batch, _upload, run = work(cast.kettle(), 0)
    program = Program()
    assert program.call("get", f"/jobs/serialnumberrun/{run.pk}").json()["can_be_cancelled"]
    ended = program.call("post", f"/jobs/serialnumberrun/{run.pk}/cancel", {"reason": "Wrong prefix"}).json()
    assert (ended["state"], ended["can_be_cancelled"]) == ("cancelled", False)
    assert program.call("post", f"/jobs/serialnumberrun/{run.pk}/cancel", {}).status_code == 409
    reader = Program("devices.view_batch")
    assert reader.call("post", f"/jobs/batch/{batch.pk}/cancel", {}).status_code == 403
    assert reader.call("get", f"/jobs/batch/{batch.pk}").json()["can_be_cancelled"] is False
