"""The keys that sign receipts: their public halves, for whoever checks one, and how the next one is made."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from console.crypto import signing
from console.shared.admin import ReadOnlyModelAdmin, badge, moment, mono
from console.shared.page_actions import Occasion, PageAction, PageActions
from console.words import say
from devices.models import Receipt, ReceiptKey
from devices.services import receipt_chain
from products.admin.limits import latest_changes
from products.services.access import EVERY_PRODUCT


class RotateForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


def _rotate(occasion: Occasion) -> str:
    key = receipt_chain.rotate(reason=occasion.data["reason"], by=occasion.by, at=occasion.at)
    return say("The key {key} signs receipts from now on. Give it to those who check them.", key=key.key_id)


ROTATE = PageAction(
    name="rotate",
    permission="devices.rotate_receiptkey",
    needs=(EVERY_PRODUCT,),
    label=_("Replace the key"),
    title=_("Replace the key that signs receipts?"),
    words=(
        _("A new key signs from now on. This one signs nothing any more, and stays in the list for the receipts that it signed."),
        _("Whoever checks receipts needs the new public key: hand it over as you handed over this one."),
    ),
    confirm=_("Replace the key"),
    form=RotateForm,
    run=_rotate,
    offered=lambda key: key.retired_at is None,
    guarded=True,
    danger=True,
)


@admin.register(ReceiptKey)
class ReceiptKeyAdmin(PageActions, ReadOnlyModelAdmin):
    list_display = ("key_name", "state", "since", "until")
    list_display_links = ("key_name",)
    ordering = ("-pk",)
    sortable_by = ()
    empty_list = {
        "icon": "verified",
        "title": _("No key yet"),
        "text": _("The first key is made with the first receipt, or by manage.py setup."),
    }

    page_actions = (ROTATE,)
    page_template = "devices/receipt_key.html"

    def page_context(self, request: HttpRequest, target: ReceiptKey) -> dict[str, Any]:
        public = bytes.fromhex(target.public)
        return {
            "title": target.key_id,
            "pem": signing.pem(public),
            "fingerprint": signing.fingerprint(public),
            "installation": receipt_chain.installation(),
            "has_signed": Receipt.objects.filter(key=target).exists(),
            **latest_changes(request, target),
        }

    @display(description=_("Key"))
    def key_name(self, key: ReceiptKey) -> str:
        return mono(key.key_id)

    @display(description=_("State"))
    def state(self, key: ReceiptKey) -> str:
        return badge("grey", _("Retired")) if key.retired_at else badge("green", _("Signs"))

    @display(description=_("Signs since"))
    def since(self, key: ReceiptKey) -> str:
        return moment(key.made_at)

    @display(description=_("Retired"))
    def until(self, key: ReceiptKey) -> str:
        return moment(key.retired_at)
