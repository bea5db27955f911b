"""CA certificates that end: 60 days before it is time to prepare, 30 to move the devices, 7 to hurry. Then their devices are refused."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from console.shared.attention import DANGER, WARNING, Alert, attention
from products.models import CertificateAuthority
from products.services import access

PREPARE, MOVE, HURRY = timedelta(days=60), timedelta(days=30), timedelta(days=7)
SHOWN = 5


@attention
def ca_certificates_that_end(user: Any, at: datetime) -> Iterator[Alert]:
    """Of those that are active and serve a product: what ends otherwise hurts nobody."""
    if not user.has_perm("products.view_certificateauthority") or not access.sees_every_product(user):
        return
    ending = CertificateAuthority.objects.active().filter(not_after__lte=at + PREPARE, bindings__isnull=False).distinct()
    for authority in ending.order_by("not_after")[:SHOWN]:
        title = _("The CA certificate %(name)s has ended") if authority.has_ended(at) else _("The CA certificate %(name)s ends on %(day)s")
        yield Alert(
            title=title % {"name": authority.name, "day": f"{localtime(authority.not_after):%Y-%m-%d}"},
            sentence=_sentence(authority, at),
            url=reverse("admin:products_certificateauthority_change", args=[authority.pk]),
            label=_("CA certificate"),
            severity=DANGER if authority.not_after <= at + HURRY else WARNING,
        )


def _sentence(authority: CertificateAuthority, at: datetime) -> str:
    left = authority.not_after - at
    if authority.has_ended(at):
        return _(
            "Devices with certificates of this CA are refused. Upload the one that follows it, or deactivate it if no device needs it."
        )
    if left <= HURRY:
        return _("In a week at most, devices with certificates of this CA are refused.")
    if left <= MOVE:
        return _("Move its devices now: new certificates from the CA that follows, which is active for the same products beside this one.")
    return _("Prepare the CA that follows it: upload its certificate, prove it and activate it for the same products.")
