"""A job that stops in its midst says why to whoever watches it, until it goes on; and why it was given up in the end."""

import errno
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from console.shared.interruptions import noted
from console.shared.jobs import JobState
from devices import tasks
from devices.models import Batch
from devices.services import batches, production
from devices.services.batches import NewBatch
from products.services import supply
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
FULL = OSError(errno.ENOSPC, "No space left on device")
SAYS_FULL = "Interrupted: the disk of the data folder is full."


def ordered(count: int = 10) -> Batch:
    product = cast.tracker()
    supply.grant_codes(product, quantity=count, by=OPERATOR, at=NOON)
    return batches.request(product.pk, NewBatch(source="automatic", quantity=count), by=OPERATOR, at=NOON)


def interrupted(batch: Batch, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(production, "_make_chunk", fail)
        with pytest.raises(type(error)):
            tasks.fill_batch(batch.pk)
    batch.refresh_from_db()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FULL, SAYS_FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), SAYS_FULL),
        (OSError(errno.EACCES, "Permission denied"), "Interrupted by an error of the console: the worker's log has it."),
        (OperationalError("connection refused"), "Interrupted: a database does not answer."),
        (KeyError("name"), "Interrupted by an error of the console: the worker's log has it."),
    ],
)
def test_a_batch_that_is_interrupted_says_why_and_stays_to_be_done(error: Exception, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ordered()
    interrupted(batch, error, monkeypatch)
    assert (batch.failure, batch.state) == (says, JobState.RUNNING)


def test_it_is_forgotten_when_the_job_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ordered()
    interrupted(batch, FULL, monkeypatch)
    Batch.objects.filter(pk=batch.pk).update(heartbeat_at=NOON)
    tasks.fill_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.failure, batch.state, batch.made) == ("", JobState.DONE, 10)


def test_a_job_that_is_given_up_says_what_kept_it(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ordered()
    interrupted(batch, FULL, monkeypatch)
    Batch.objects.filter(pk=batch.pk).update(heartbeat_at=NOON, attempt=production.ATTEMPTS)
    tasks.fill_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.failure, batch.state) == (SAYS_FULL, JobState.FAILED)


def test_a_worker_that_lost_its_claim_says_nothing_of_it() -> None:
    """It is another's job now."""
    batch = ordered()
    Batch.objects.claim(batch.pk, at=timezone.now())
    Batch.objects.filter(pk=batch.pk).update(state=JobState.DONE)
    with pytest.raises(OSError, match="space"), noted(Batch.objects, batch.pk):
        raise FULL
    batch.refresh_from_db()
    assert batch.failure == ""


def test_the_jobs_page_shows_it_while_the_job_is_to_be_done(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(ordered(), FULL, monkeypatch)
    assert SAYS_FULL in admin_client.get("/jobs/").content.decode()
