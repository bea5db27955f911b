"""Certificates that were issued: found by device or serial number, and revoked."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from console.crypto.certificates import fingerprints
from console.errors import Invalid
from console.shared.admin import ReadOnlyModelAdmin, badge, moment, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from console.words import say
from products.admin.authority_words import colons
from products.admin.issuing_forms import RevokeForm
from products.admin.limits import OfChosenProducts, ProductFilter, latest_changes
from products.models import IssuedCertificate
from products.services import revocation

REVOKE = "products.revoke_issuedcertificate"
STATES = {"good": _("Good"), "revoked": _("Revoked"), "ended": _("Ended")}
COLOURS = {"good": "green", "revoked": "red", "ended": "grey"}


def state_of(certificate: IssuedCertificate) -> str:
    if certificate.revoked_at is not None:
        return "revoked"
    return "ended" if certificate.not_after < timezone.now() else "good"


def _is_good(certificate: IssuedCertificate) -> bool:
    return certificate.revoked_at is None


def _revoke(occasion: Occasion) -> None:
    revocation.revoke(occasion.target.pk, **occasion.data, by=occasion.by, at=occasion.at)


def _revoke_device(occasion: Occasion) -> str:
    target: IssuedCertificate = occasion.target
    taken = revocation.revoke_device(target.product, target.device_name, **occasion.data, by=occasion.by, at=occasion.at)
    return say("{count} certificates of {name} were revoked.", count=taken, name=target.device_name)


REVOKE_ACTIONS = (
    PageAction(
        name="revoke",
        permission=REVOKE,
        label=_("Revoke"),
        title=_("Revoke this certificate?"),
        words=(_("From now on no device passes with it. It stands in the CA's revocation list within five minutes."),),
        warnings=(_("This cannot be undone. The device needs another certificate."),),
        confirm=_("Revoke"),
        done=_("The certificate is revoked."),
        form=RevokeForm,
        run=_revoke,
        offered=_is_good,
        danger=True,
    ),
    PageAction(
        name="revoke_device",
        permission=REVOKE,
        label=_("Revoke all of the device"),
        title=_("Revoke all certificates of this device?"),
        words=(_("Every certificate that was issued to this DeviceName and is good, in all data centers."),),
        warnings=(_("This cannot be undone. The device needs another certificate."),),
        confirm=_("Revoke all"),
        form=RevokeForm,
        run=_revoke_device,
        offered=_is_good,
        danger=True,
    ),
)


class StateFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        chosen = {
            "good": queryset.good().filter(not_after__gte=now),
            "revoked": queryset.filter(revoked_at__isnull=False),
            "ended": queryset.good().filter(not_after__lt=now),
        }
        return chosen.get(self.value() or "", queryset)


@admin.register(IssuedCertificate)
class IssuedCertificateAdmin(OfChosenProducts, PageActions, ReadOnlyModelAdmin):
    list_display = ("device", "product_name", "state_badge", "serial_text", "ca", "issued", "end")
    list_display_links = ("device",)
    list_select_related = ("product", "issuing_ca__authority")
    list_filter = (StateFilter, ProductFilter)
    search_fields = ("device_name",)
    search_help_text = _("Whole DeviceName, serial number or SHA-256 fingerprint")
    sortable_by = ()
    empty_list = {
        "icon": "workspace_premium",
        "title": _("No certificate was issued yet"),
        "text": _("A product with an issuing CA hands its devices certificates when they register. Its page says how."),
        "label": _("Go to the products"),
        "url_name": "admin:products_product_changelist",
        "permission": "products.view_product",
    }
    page_actions = REVOKE_ACTIONS
    page_template = "products/issued_certificate.html"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        """Whole values, which an index finds."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = queryset.filter(device_name=term) | queryset.filter(sha256=fingerprints.read(term))
        try:
            return found | queryset.filter(serial=revocation.read_serial(term)), False
        except Invalid:
            return found, False

    def page_context(self, request: HttpRequest, target: IssuedCertificate) -> dict[str, Any]:
        state = state_of(target)
        shown = {"title": target.device_name, "state": badge(COLOURS[state], STATES[state])}
        prints = [
            (_("SHA-256 fingerprint"), colons(target.sha256), target.sha256),
            (_("SHA-256 of the public key"), colons(target.spki_sha256), target.spki_sha256),
        ]
        return shown | {"serial": colons(target.serial), "fingerprints": prints} | latest_changes(request, target)

    @display(description=_("DeviceName"))
    def device(self, certificate: IssuedCertificate) -> SafeString:
        return mono(certificate.device_name)

    @display(description=_("Product"))
    def product_name(self, certificate: IssuedCertificate) -> str:
        return certificate.product.name

    @display(description=_("State"))
    def state_badge(self, certificate: IssuedCertificate) -> SafeString:
        state = state_of(certificate)
        return badge(COLOURS[state], STATES[state])

    @display(description=_("Serial number"))
    def serial_text(self, certificate: IssuedCertificate) -> SafeString:
        return mono(certificate.serial)

    @display(description=_("Issuing CA"))
    def ca(self, certificate: IssuedCertificate) -> str:
        return certificate.issuing_ca.authority.name

    @display(description=_("Issued"))
    def issued(self, certificate: IssuedCertificate) -> SafeString | str:
        return moment(certificate.issued_at)

    @display(description=_("Valid until"))
    def end(self, certificate: IssuedCertificate) -> SafeString | str:
        return moment(certificate.not_after)
