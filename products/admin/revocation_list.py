"""Revocation on the page of a CA certificate: its list, where that comes from, and serial numbers that are revoked by hand."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from console.shared.page_actions import Occasion, PageAction
from console.shared.panels import panel
from products.admin.forms import ReasonForm
from products.admin.issuing_forms import ListForm, RevokeSerialForm, SourceForm
from products.models import CertificateAuthority, RevocationList, RevocationSource, RevokedSerial
from products.services import revocation, revocation_lists

CHANGE = "products.change_certificateauthority"
SHOWN = 8


def list_of(authority: Any) -> RevocationList | None:
    """Asked once for each page: the row is kept on the CA that the page is about."""
    if not hasattr(authority, "_list_on_file"):
        authority._list_on_file = RevocationList.objects.filter(authority=authority).first()
    found: RevocationList | None = authority._list_on_file
    return found


def _has_url(authority: CertificateAuthority) -> bool:
    row = list_of(authority)
    return row is not None and bool(row.url)


def _source(occasion: Occasion) -> None:
    revocation_lists.set_source(occasion.target.pk, **occasion.data, by=occasion.by, at=occasion.at)


def _upload(occasion: Occasion) -> None:
    revocation_lists.upload(occasion.target.pk, occasion.data["file"], by=occasion.by, at=occasion.at)


def _fetch(occasion: Occasion) -> None:
    revocation_lists.fetch_soon(occasion.target.pk, at=occasion.at)


def _remove(occasion: Occasion) -> None:
    revocation_lists.remove(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _revoke_serial(occasion: Occasion) -> None:
    revocation.revoke_serial(occasion.target.pk, **occasion.data, by=occasion.by, at=occasion.at)


def _source_of(authority: CertificateAuthority) -> dict[str, Any]:
    row = list_of(authority)
    return {"url": row.url, "interval_minutes": row.interval_minutes} if row else {}


REVOCATION_ACTIONS = (
    PageAction(
        name="list_source",
        permission=CHANGE,
        label=_("Source"),
        title=_("Where the revocation list comes from"),
        words=(_("It is fetched at once and then regularly. A list counts when the CA has signed it and none later was taken."),),
        confirm=_("Save"),
        done=_("The source of the revocation list was changed."),
        form=SourceForm,
        initial=_source_of,
        run=_source,
    ),
    PageAction(
        name="upload_list",
        permission=CHANGE,
        label=_("Upload"),
        title=_("Upload a revocation list"),
        words=(_("Certificates that it names are refused from now on; those that it names no more pass again."),),
        confirm=_("Check and take it"),
        done=_("The revocation list was taken."),
        form=ListForm,
        run=_upload,
    ),
    PageAction(
        name="fetch_list",
        permission=CHANGE,
        label=_("Fetch now"),
        title=_("Fetch the revocation list now?"),
        confirm=_("Fetch"),
        done=_("The revocation list is being fetched. This page says in a moment what came of it."),
        run=_fetch,
        offered=_has_url,
    ),
    PageAction(
        name="remove_list",
        permission=CHANGE,
        label=_("Remove"),
        title=_("Remove the revocation list?"),
        words=(_("It is not fetched any more, and the certificates that it names pass again. What was revoked by hand stays revoked."),),
        confirm=_("Remove"),
        done=_("The revocation list was removed."),
        form=ReasonForm,
        run=_remove,
        offered=lambda authority: list_of(authority) is not None,
        danger=True,
    ),
    PageAction(
        name="revoke_serial",
        permission=CHANGE,
        label=_("Revoke a serial number"),
        title=_("Revoke a certificate by its serial number"),
        words=(_("No device passes with this certificate from now on, whatever the CA's own list says."),),
        warnings=(_("This cannot be undone."),),
        confirm=_("Revoke"),
        done=_("The serial number is revoked."),
        form=RevokeSerialForm,
        run=_revoke_serial,
        danger=True,
    ),
)


@panel("products.certificateauthority")
def revocation_of(request: HttpRequest, authority: CertificateAuthority) -> SafeString | str:
    """The panel brings its own buttons: their dialogs stand on the page."""
    row, now = list_of(authority), timezone.now()
    by_hand = RevokedSerial.objects.filter(authority=authority).exclude(source=RevocationSource.LIST).order_by("-id")[:SHOWN]
    context = {
        "row": row,
        "is_old": row is not None and row.next_update is not None and row.next_update < now,
        "by_hand": by_hand,
        "buttons": [
            _button(action, authority) for action in REVOCATION_ACTIONS if action.is_allowed(request.user) and action.offered(authority)
        ],
    }
    return render_to_string("products/revocation_panel.html", context, request)


def _button(action: PageAction, authority: CertificateAuthority) -> tuple[str, str, Any]:
    """URL, dialog, label."""
    return reverse(f"admin:products_certificateauthority_{action.name}", args=[authority.pk]), f"dialog-{action.name}", action.label
