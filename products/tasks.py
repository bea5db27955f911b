"""Regular upkeep of certificates. The schedule is in console/jobs.py."""

from celery import shared_task
from django.utils import timezone

from console.shared.tasks import nudge
from products.services import issued_upkeep, revocation_lists


@shared_task(name=revocation_lists.FETCH_TASK)
def fetch_revocation_list(authority_id: int) -> None:
    """`authority_id`: the number of a CertificateAuthority. May run twice: the row is claimed."""
    revocation_lists.fetch(authority_id, clock=timezone.now)


@shared_task(name="products.fetch_revocation_lists")
def fetch_revocation_lists() -> None:
    """Sends those whose time has come: a server that is slow holds up its own list alone."""
    for authority_id in revocation_lists.due(timezone.now()):
        nudge(revocation_lists.FETCH_TASK, authority_id)


@shared_task(name="products.purge_issued_certificates")
def purge_issued_certificates() -> None:
    issued_upkeep.purge(at=timezone.now())
