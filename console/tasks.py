"""Regular upkeep of the ground. The schedule is in console/jobs.py."""

from celery import shared_task
from django.utils import timezone

from console.people import sign_ins
from console.rest import idempotency


@shared_task(name="console.forget_answers")
def forget_answers() -> None:
    idempotency.forget_old(at=timezone.now())


@shared_task(name="console.purge_sign_ins")
def purge_sign_ins() -> None:
    sign_ins.purge(at=timezone.now())
