"""CA certificates: the list, the upload, and the page that leads from the proof to the products."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from console.crypto.certificates import fingerprints, reading
from console.shared.add_page import AddPage
from console.shared.admin import NOTHING, SmallListAdmin, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from products.admin.authority_actions import AUTHORITY_ACTIONS
from products.admin.authority_forms import UploadForm
from products.admin.authority_words import checks, colons, end_badge, state_badge
from products.admin.limits import OfEveryProduct, latest_changes
from products.admin.revocation_list import REVOCATION_ACTIONS
from products.models import CertificateAuthority
from products.rules import authorities as rules
from products.rules.openssl_lines import CA_FILE, KEY_FILE, PROOF_FILE, proof_lines
from products.services import authority_upkeep

PRODUCTS_SHOWN = 3


@admin.register(CertificateAuthority)
class CertificateAuthorityAdmin(OfEveryProduct, AddPage, PageActions, SmallListAdmin):
    list_display = ("name", "state_text", "subject_text", "key_kind", "served", "end")
    list_display_links = ("name",)
    list_filter = (("state", ChoicesDropdownFilter),)
    search_fields = ("name", "subject")
    search_help_text = _("Name, subject, or the beginning of a fingerprint")
    ordering = ("-id",)
    sortable_by = ("name", "end")
    add_label = _("Upload a CA certificate")
    empty_list = {
        "icon": "verified_user",
        "title": _("No CA certificate yet"),
        "text": _(
            "Devices with certificates of their own (X.509) come in when a CA of yours has signed these. Upload the CA's "
            "certificate, prove that you hold its key, choose its products and activate it."
        ),
        "label": _("Upload a CA certificate"),
        "url_name": "admin:products_certificateauthority_add",
        "permission": "products.add_certificateauthority",
    }

    page_actions = (*AUTHORITY_ACTIONS, *REVOCATION_ACTIONS)
    page_template = "products/authority.html"

    add_form_class = UploadForm
    add_template = "products/authority_add.html"
    add_title = _("Upload a CA certificate")
    add_sub = _(
        "The certificate alone, PEM or DER. Its private key stays with you: an upload that holds one is refused, and nothing of it is kept."
    )
    add_done = _("The CA certificate was uploaded. Prove now that you hold its private key.")
    error_fields = {"certificate": "file"}

    def add_form(self, request: HttpRequest) -> forms.Form:
        if request.method != "POST":
            return self.add_form_class()
        return self.add_form_class(request.POST, request.FILES)

    def add_row(self, occasion: Occasion) -> CertificateAuthority:
        facts = {name: occasion.data[name] for name in ("name", "products")}
        new = authority_upkeep.NewAuthority(occasion.data["content"], **facts)
        return authority_upkeep.upload(new, by=occasion.by, at=occasion.at)

    def page_context(self, request: HttpRequest, target: CertificateAuthority) -> dict[str, Any]:
        now = timezone.now()
        certificate = reading.from_der(bytes(target.certificate))
        context: dict[str, Any] = {
            "state_badge": state_badge(target, now),
            "end_badge": end_badge(target, now),
            "has_ended": target.has_ended(now),
            "code_is_live": target.code_is_live(now),
            "lines": "\n".join(proof_lines(target.proof_code)) if target.proof_code else "",
            "files": {"ca": CA_FILE, "key": KEY_FILE, "proof": PROOF_FILE},
            "pem": reading.to_pem(certificate),
            "fingerprints": [(name, colons(digits), digits) for name, digits in (("SHA-256", target.sha256), ("SHA-1", target.sha1))],
            "key_id": colons(target.subject_key_id),
            "checks": checks(certificate, now),
            "warnings": rules.examine(certificate, at=now).warnings,
            "served": list(target.products.order_by("name")),
            "proof": reading.from_der(bytes(target.proof_certificate)) if target.proof_certificate else None,
        }
        return context | latest_changes(request, target)

    def after_url(self, action: PageAction, target: CertificateAuthority) -> str:
        gone = action.name == "remove"
        return reverse("admin:products_certificateauthority_changelist") if gone else super().after_url(action, target)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CertificateAuthority]:
        found: QuerySet[CertificateAuthority] = (
            super().get_queryset(request).prefetch_related("products").select_related("uploaded_by", "verified_by")
        )
        return found

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        found, doubled = super().get_search_results(request, queryset, search_term)
        digits = fingerprints.beginning(search_term)
        return found | queryset.with_fingerprint(digits) if digits else found, doubled

    def has_delete_permission(self, request: HttpRequest, obj: CertificateAuthority | None = None) -> bool:
        """By the page's own action alone, which the audit log knows."""
        return False

    @display(description=_("State"), ordering="state")
    def state_text(self, authority: CertificateAuthority) -> str:
        return state_badge(authority, timezone.now())

    @display(description=pgettext_lazy("certificate", "Subject"))
    def subject_text(self, authority: CertificateAuthority) -> str:
        return mono(authority.subject)

    @display(description=_("Products"))
    def served(self, authority: CertificateAuthority) -> str:
        names = sorted(product.name for product in authority.products.all())
        more = f" … (+{len(names) - PRODUCTS_SHOWN})" if len(names) > PRODUCTS_SHOWN else ""
        return ", ".join(names[:PRODUCTS_SHOWN]) + more or NOTHING

    @display(description=_("Valid until"), ordering="not_after")
    def end(self, authority: CertificateAuthority) -> str:
        return format_html("{} {}", f"{authority.not_after:%Y-%m-%d}", end_badge(authority, timezone.now()))
