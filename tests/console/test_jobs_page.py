"""The jobs page: all long work in one place, for those who may see it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console import work
from console.models import AuditEntry
from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, BatchSource, Upload
from products.models import Product, ProductAccess
from tests import cast

pytestmark = pytest.mark.django_db
JOBS, PROGRESS = "/jobs/", "/jobs/progress/"


def batch(product: Product, state: str = "done", *, age: int = 0, **facts: Any) -> Batch:
    """`age`: minutes since it was requested."""
    at = timezone.now() - timedelta(minutes=age)
    made = {"source": BatchSource.AUTOMATIC, "total": 100, "state": state, "requested_at": at} | facts
    return Batch.objects.create(product=product, **made)


def upload(product: Product | None, name: str = "list.xlsx", state: str = "done", *, age: int = 0, **facts: Any) -> Upload:
    at = timezone.now() - timedelta(minutes=age)
    made = {"file_name": name, "token": name, "size": 1, "sha256": "0" * 64, "path": f"uploads/{name}"} | facts
    return Upload.objects.create(
        product=product, state=state, purpose="pre_import", requested_at=at, expires_at=at + timedelta(days=3), sealed_key=b"", **made
    )


def staff(*permissions: str, name: str = "sam", every_product: bool = True) -> Any:
    user = get_user_model().objects.create_user(name, is_staff=True)
    codes = [*permissions, *(["see_every_product"] if every_product else [])]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return user


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def names(client: Client, query: str = "") -> list[str]:
    answer = client.get(JOBS + query)
    assert answer.status_code == 200
    return [row["name"] for row in answer.context["rows"]]


@pytest.fixture
def boss() -> Client:
    return signed_in(cast.administrator())


def test_work_of_every_kind_is_listed_what_runs_first_and_then_the_newest(boss: Client) -> None:
    kettle = cast.kettle()
    done = batch(kettle, age=50)
    BatchFile.objects.create(batch=done, format="csv", state="done", requested_at=timezone.now() - timedelta(minutes=40))
    upload(kettle, "new.xlsx", age=10)
    running = batch(kettle, "running", age=90)
    upload(kettle, "waits.xlsx", "queued", age=2)
    assert names(boss) == ["waits.xlsx", running.number, "new.xlsx", f"{done.number} CSV", done.number]


def test_a_row_says_what_for_which_product_who_how_far_and_how_fast(boss: Client) -> None:
    now = timezone.now()
    person = staff(name="olga")
    batch(cast.kettle(), "running", done=40, requested_by=person, started_at=now - timedelta(seconds=10))
    (row,) = boss.get(JOBS).context["rows"]
    assert (str(row["kind"]), row["product"].name, row["person"]) == ("Production batch", "Kettle", person)
    assert (row["rows"], row["percent"], row["rate"], row["left"]) == ("40 of 100", 40, "4 rows a second", "15 seconds left")


def test_a_failure_is_told_as_a_sentence(boss: Client) -> None:
    batch(cast.kettle(), "failed", failure="The worker lost its disk.", finished_at=timezone.now())
    assert "The worker lost its disk." in boss.get(JOBS).content.decode()


def test_it_is_filtered_by_state_kind_and_person(boss: Client) -> None:
    kettle, olga = cast.kettle(), staff(name="olga")
    failed = batch(kettle, "failed", age=3)
    hers = batch(kettle, age=2, requested_by=olga)
    upload(kettle, "list.xlsx", age=1)
    assert names(boss, "?state=failed") == [failed.number]
    assert names(boss, "?kind=upload") == ["list.xlsx"]
    assert names(boss, f"?person={olga.pk}") == [hers.number]
    assert names(boss, "?person=me") == []
    assert names(boss, "?state=nonsense&kind=nonsense&person=nonsense&older=nonsense") == ["list.xlsx", hers.number, failed.number]


def test_older_work_is_on_further_pages_each_row_once(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "A_PAGE", 3)
    kettle = cast.kettle()
    for age in range(5, 0, -1):
        batch(kettle, age=10 * age)
        upload(kettle, f"{age}.xlsx", age=10 * age + 5)
    running = batch(kettle, "running")
    found, query = [], ""
    for _page in range(5):
        answer = boss.get(JOBS + query)
        found += [row["name"] for row in answer.context["rows"]]
        query = answer.context["older_url"]
        if not query:
            break
    assert found[0] == running.number
    assert len(found) == len(set(found)) == 11


def test_more_rows_ask_no_more_questions(boss: Client) -> None:
    asked = []
    kettle, lamp = cast.kettle(), cast.lamp()
    for _round in range(2):
        for product in (kettle, lamp):
            BatchFile.objects.create(
                batch=batch(product, requested_by=staff(name=f"p{Batch.objects.count()}")), format="csv", requested_at=cast.NOON
            )
            upload(product, f"{Upload.objects.count()}.xlsx", "running")
        boss.get(JOBS)
        with CaptureQueriesContext(connection) as page:
            boss.get(JOBS)
        with CaptureQueriesContext(connection) as progress:
            boss.get(PROGRESS)
        asked.append((len(page), len(progress)))
    assert asked[0] == asked[1]
    assert max(asked[0]) <= 22


def test_the_script_learns_how_far_the_rows_are_and_when_others_are_to_be_shown(boss: Client) -> None:
    running = batch(cast.kettle(), "running", done=10, started_at=timezone.now() - timedelta(seconds=5))
    before = boss.get(JOBS).context["version"]
    Batch.objects.update(done=30)
    answer = boss.get(PROGRESS).json()
    assert answer["version"] == before
    assert [(job["key"], job["rows"], job["percent"]) for job in answer["jobs"]] == [(f"batch-{running.pk}", "30 of 100", 30)]
    Batch.objects.update(state="done", finished_at=timezone.now())
    assert boss.get(PROGRESS).json()["version"] != before


def test_a_person_sees_the_kinds_and_products_that_are_theirs() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    mine = batch(lamp)
    batch(kettle)
    upload(lamp)
    user = staff("view_batch", every_product=False)
    ProductAccess.objects.create(user=user, product=lamp)
    assert names(signed_in(user)) == [mine.number]


def test_who_may_see_no_kind_of_work_is_refused() -> None:
    assert signed_in(staff()).get(JOBS).status_code == 403
    assert signed_in(staff(name="other")).get(PROGRESS).status_code == 403


def test_a_job_is_cancelled_after_a_confirmation_with_a_reason(boss: Client) -> None:
    waiting = batch(cast.kettle(), "queued")
    Product.objects.update(devices_taken=100, codes_used=100)
    url = reverse("admin:jobs_cancel", args=["batch", waiting.pk])
    assert url in boss.get(JOBS).content.decode()
    assert "What is made already stays" in boss.get(url).content.decode()
    waiting.refresh_from_db()
    assert waiting.state == JobState.QUEUED
    assert boss.post(url, {"reason": "a typo"}).status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == JobState.CANCELLED
    assert AuditEntry.objects.get(action="batch.cancel").reason == "a typo"


def test_who_may_not_cancel_gets_no_button_and_is_refused() -> None:
    waiting = batch(cast.kettle(), "queued")
    client = signed_in(staff("view_batch"))
    url = reverse("admin:jobs_cancel", args=["batch", waiting.pk])
    assert url not in client.get(JOBS).content.decode()
    assert client.post(url).status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == JobState.QUEUED


def test_work_of_another_s_product_cannot_be_found() -> None:
    waiting = batch(cast.kettle(), "queued")
    client = signed_in(staff("view_batch", "cancel_batch", every_product=False))
    assert client.post(reverse("admin:jobs_cancel", args=["batch", waiting.pk])).status_code == 404
    assert client.post(reverse("admin:jobs_cancel", args=["teapot", 1])).status_code == 404


def test_what_has_ended_or_cannot_be_ended_is_not_offered(boss: Client) -> None:
    done = batch(cast.kettle())
    file = BatchFile.objects.create(batch=done, format="csv", requested_at=timezone.now())
    assert [row["cancel_url"] for row in boss.get(JOBS).context["rows"]] == ["", ""]
    assert boss.post(reverse("admin:jobs_cancel", args=["batch", done.pk])).status_code == 302
    assert boss.post(reverse("admin:jobs_cancel", args=["batchfile", file.pk])).status_code == 403


def test_an_empty_page_says_what_will_be_there(boss: Client) -> None:
    assert "nothing has run yet" in boss.get(JOBS).content.decode()
    assert "Nothing matches these filters." in boss.get(f"{JOBS}?state=failed").content.decode()


def test_progress_is_read_from_the_row() -> None:
    now = timezone.now()
    job = Batch(total=1000, done=250, made=250, state=JobState.RUNNING, started_at=now - timedelta(seconds=5))
    assert (job.percent, job.rate(now), job.time_left(now)) == (25, 50.0, timedelta(seconds=15))
