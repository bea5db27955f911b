"""Regular upkeep. The schedule is in console/jobs.py."""

from celery import shared_task
from django.utils import timezone

from registration.services import figure_keeping, retention


@shared_task(name="registration.purge_nonces")
def purge_nonces() -> None:
    retention.purge_nonces(at=timezone.now())
    retention.purge_tickets(at=timezone.now())


@shared_task(name="registration.purge_log")
def purge_log() -> None:
    retention.purge_log(at=timezone.now())
    figure_keeping.purge(at=timezone.now())


@shared_task(name="registration.purge_connections")
def purge_connections() -> None:
    retention.purge_connections(at=timezone.now())


@shared_task(name="registration.purge_unused_client_ids")
def purge_unused_client_ids() -> None:
    retention.purge_unused_client_ids(at=timezone.now())


@shared_task(name="registration.keep_figures")
def keep_figures() -> None:
    figure_keeping.roll_up(clock=timezone.now)


@shared_task(name="registration.count_fleet")
def count_fleet() -> None:
    figure_keeping.count_fleet(clock=timezone.now)
