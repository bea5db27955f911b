"""Making the numbers of a run: chunk by chunk, each one transaction, so that a killed worker leaves nothing half done.

Numbers are drawn at random, and drawn again where one exists. The row's checkpoint `done` moves with the numbers that it counts.
"""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from console import audit
from console.errors import Conflict, DomainError, Exhausted
from console.shared import bulk
from console.shared.actors import SYSTEM
from console.shared.jobs import JobState, LostClaim
from console.words import say
from devices.models import PreImportedDevice, SerialNumber, SerialNumberRun
from devices.rules import serial_numbers as rules
from devices.services import numbering
from products.rules.wire_formats import system_random

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

CHUNK = {"postgresql": 2_000, "sqlite": 250}
PAUSE = {"postgresql": 0.0, "sqlite": 0.01}
"""Seconds between chunks: SQLite has one writer."""
ATTEMPTS = 100
"""A run whose worker died so often will not succeed."""
DRAWS = 20
"""If so many draws do not fill a chunk, hardly any number of this form is left."""


class FormUsedUp(Exhausted):
    """Earlier runs took nearly all numbers of the same form."""

    code = "serial_number_form_used_up"
    default_message = "Hardly any serial number of this form is left: choose more random characters or another prefix."


def fill(run_id: int, *, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
    """Makes what is missing of the run, unless another worker does; ends it when all is made, on a cancel, and on a DomainError."""
    attempt = SerialNumberRun.objects.claim(run_id, at=clock())
    if attempt is None:
        return
    run = SerialNumberRun.objects.get(pk=run_id)
    try:
        if attempt > ATTEMPTS:
            raise Conflict(run.failure or say("The worker was lost {times} times.", times=ATTEMPTS))
        _end(run, attempt, _make_all(run, attempt, clock, sleep), at=clock())
    except LostClaim:
        log.info("Run %s of serial numbers went to another worker.", run_id)
    except DomainError as error:
        _fail(run, attempt, error, at=clock())


def _make_all(run: SerialNumberRun, attempt: int, clock: Clock, sleep: Callable[[float], None]) -> JobState:
    """The state to end in."""
    size, pause = settings.NAMEPLATE_BATCH_CHUNK_ROWS or CHUNK[connection.vendor], PAUSE[connection.vendor]
    done = run.done
    while done < run.total:
        if SerialNumberRun.objects.filter(pk=run.pk, cancel_requested=True).exists():
            return JobState.CANCELLED
        count = min(size, run.total - done)
        _make_chunk(run, attempt, count, at=clock())
        done += count
        if pause:
            sleep(pause)
    return JobState.DONE


@transaction.atomic
def _make_chunk(run: SerialNumberRun, attempt: int, count: int, *, at: datetime) -> None:
    """Prove the claim, store `count` numbers, move the checkpoint. Raises LostClaim or FormUsedUp."""
    numbering.hold(exclusive=True)
    SerialNumberRun.objects.beat(run.pk, attempt, at=at)
    made = 0
    for _ in range(DRAWS):
        rows = [(run.product_id, run.pk, sn, "") for sn in _unheard_of(rules.draw(run.design, count - made, system_random))]
        made += bulk.store(SerialNumber, ("product", "run", "sn", "device_name"), rows, using=SerialNumber.objects.db, skip_taken=True)
        if made == count:
            SerialNumberRun.objects.beat(run.pk, attempt, at=at, done=F("done") + count)
            return
    raise FormUsedUp


def _unheard_of(drawn: list[str]) -> Iterator[str]:
    """Without those that some row of the pre-import list has; what was generated before is left out by the constraint."""
    everywhere = PreImportedDevice.objects
    taken = set(everywhere.filter(sn__in=bulk.among(drawn, using=everywhere.db)).values_list("sn", flat=True))
    return (sn for sn in sorted(set(drawn)) if sn not in taken)


@transaction.atomic
def _end(run: SerialNumberRun, attempt: int, state: JobState, *, at: datetime, failure: str = "") -> None:
    """Exactly once: only the owner of the claim gets through. Raises LostClaim."""
    SerialNumberRun.objects.finish(run.pk, attempt, state, at=at, failure=failure)
    run.refresh_from_db()
    audit.record(
        "serial_numbers.end", run, by=SYSTEM, at=at, after={"state": state.value, "made": run.done}, reason=failure, count=run.done
    )


def _fail(run: SerialNumberRun, attempt: int, error: DomainError, *, at: datetime) -> None:
    log.warning("Run %s of serial numbers failed: %s", run.pk, error.message)
    try:
        _end(run, attempt, JobState.FAILED, at=at, failure=error.message)
    except LostClaim:
        log.info("Run %s of serial numbers went to another worker.", run.pk)
