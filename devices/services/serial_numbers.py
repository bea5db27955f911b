"""Serial numbers (Q7): runs are asked for and cancelled, numbers voided. Runs are filled by serial_number_making, bound by binding."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from console import audit
from console.errors import Conflict
from console.shared.actors import Actor
from console.shared.jobs import JobState
from console.words import say
from devices.models import SerialNumber, SerialNumberRun
from devices.rules import serial_numbers as rules
from devices.rules.serial_numbers import Design
from products.models import Product
from products.rules.wire_formats import system_random

EXAMPLES = 5


class RunOver(Conflict):
    code = "serial_number_run_over"
    default_message = "The run has ended already."


class NotFree(Conflict):
    code = "serial_number_not_free"
    default_message = "Only a serial number that is on no device can be voided. Take it off the device first."


@dataclass(frozen=True, slots=True)
class NewRun:
    """A wish; `design.prefix` as typed."""

    design: Design
    quantity: int
    note: str = ""


def preview(new: NewRun) -> list[str]:
    """Some numbers of this form, none of which is given to anybody. Raises BadDesign or Invalid."""
    design = _checked(new)
    return rules.draw(design, min(EXAMPLES, new.quantity), system_random)


@transaction.atomic
def request(product: Product, new: NewRun, *, by: Actor, at: datetime) -> SerialNumberRun:
    """A queued run. Raises BadDesign or Invalid."""
    design = _checked(new)
    run = SerialNumberRun(
        product=product,
        prefix=design.prefix,
        alphabet=design.alphabet,
        length=design.length,
        check_character=design.check_character,
        total=new.quantity,
        note=new.note.strip()[:200],
        requested_at=at,
        requested_by_id=by.user_id,
    )
    run.save(force_insert=True)
    facts = {"product": product.key, "prefix": design.prefix, "characters": design.alphabet, "length": design.length, "note": run.note}
    audit.record("serial_numbers.request", run, by=by, at=at, after=facts, count=new.quantity)
    return run


@transaction.atomic
def cancel(run_id: int, *, reason: str = "", by: Actor, at: datetime) -> SerialNumberRun:
    """One that waits ends now, one that runs after its present chunk. What was made stays. Raises RunOver."""
    run: SerialNumberRun = SerialNumberRun.objects.select_for_update(of=("self",)).get(pk=run_id)
    if run.is_over:
        raise RunOver
    audit.record("serial_numbers.cancel", run, by=by, at=at, before={"state": run.state, "made": run.done}, reason=reason)
    SerialNumberRun.objects.filter(pk=run.pk).update(cancel_requested=True)
    if run.state == JobState.QUEUED:
        SerialNumberRun.objects.filter(pk=run.pk).update(state=JobState.CANCELLED, finished_at=at)
    run.refresh_from_db()
    return run


@transaction.atomic
def void(sn_id: int, *, reason: str = "", by: Actor, at: datetime) -> None:
    """A number whose label is lost or spoiled: no device will ever have it. Raises NotFree."""
    if not SerialNumber.objects.free().filter(pk=sn_id).update(voided_at=at):
        raise NotFree
    audit.record("serial_number.void", SerialNumber.objects.get(pk=sn_id), by=by, at=at, reason=reason)


@transaction.atomic
def void_run(run_id: int, *, reason: str = "", by: Actor, at: datetime) -> int:
    """All numbers of the run that are on no device, and how many these were. Raises NotFree where none is."""
    voided = SerialNumber.objects.free().filter(run_id=run_id).update(voided_at=at)
    if not voided:
        raise NotFree(say("No serial number of this run is free."))
    audit.record("serial_numbers.void", SerialNumberRun.objects.get(pk=run_id), by=by, at=at, reason=reason, count=voided)
    return voided


def _checked(new: NewRun) -> Design:
    design = Design(rules.prefix(new.design.prefix), new.design.alphabet, new.design.length, new.design.check_character)
    rules.check(design, quantity=new.quantity)
    return design
