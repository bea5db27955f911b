"""What an operator can do with the certificate that a device must present: set the next one, reset the pin, revoke."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.crypto.certificates import reading
from console.crypto.certificates.errors import CertificateError
from console.shared.page_actions import Occasion, PageAction
from console.shared.translation import shown
from devices.admin import certificate_card
from devices.models import Authentication, Device
from devices.services import device_certificates
from products.admin.issuing_forms import RevokeForm

PIN = "devices.change_pin"
REVOKE = "devices.revoke_device_certificate"
PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
LONGEST = 200
"""Characters of a fingerprint: SHA-256 with colons has 95."""


class FingerprintForm(forms.Form):
    """`fingerprint`: typed, or that of the certificate which was given as a file; the service judges a typed one."""

    fingerprint = forms.CharField(
        label=_("Fingerprint"),
        required=False,
        max_length=LONGEST,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_("SHA-1 as 40 hex digits or SHA-256 as 64, with or without colons."),
    )
    file = forms.FileField(label=_("Or the certificate itself"), required=False, help_text=_("PEM or DER. Only its fingerprint is kept."))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        file, typed = data.pop("file", None), data.get("fingerprint", "")
        if file is None:
            return data
        if typed and typed != self.initial.get("fingerprint"):
            raise forms.ValidationError(_("Type the fingerprint or choose a file: one of the two."))
        try:
            certificate = reading.read_one(file.read(reading.MAX_UPLOAD + 1))
        except CertificateError as error:
            raise forms.ValidationError({"file": shown(error)}) from None
        return {**data, "fingerprint": certificate.sha256}


class NextForm(FingerprintForm):
    """Empty: no certificate is announced any more."""


class ResetForm(FingerprintForm):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500, help_text=_("Goes to the audit log."))

    field_order = ("fingerprint", "file", "reason")


def _announced(device: Device) -> dict[str, Any]:
    following = certificate_card.pins_of(device).next
    return {"fingerprint": following.fingerprint if following else ""}


def _set_next(occasion: Occasion) -> str:
    fingerprint = occasion.data["fingerprint"]
    device_certificates.expect_next(occasion.target, fingerprint, by=occasion.by, at=occasion.at)
    return _now("The next certificate is set.") if fingerprint.strip() else _now("No next certificate is set any more.")


def _reset(occasion: Occasion) -> str:
    fingerprint = occasion.data["fingerprint"]
    device_certificates.reset_pin(occasion.target, fingerprint, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)
    typed = _now("The pin was reset: the certificate that you gave is expected from now on.")
    return typed if fingerprint.strip() else _now("The pin was reset: the next certificate that the device presents is taken.")


def _revoke(occasion: Occasion) -> str:
    cut = device_certificates.revoke(occasion.target, **occasion.data, by=occasion.by, at=occasion.at)
    done = _now("The device's certificates are revoked.")
    words = ngettext("%(count)d connection is to be cut off.", "%(count)d connections are to be cut off.", cut) % {"count": cut}
    return f"{done} {words}" if cut else done


def _is_revoked(device: Device) -> bool:
    row = certificate_card.row_of(device)
    return row is not None and row.revoked_at is not None


def _is_x509(device: Device) -> bool:
    return device.authentication == Authentication.X509


def _may_change(device: Device) -> bool:
    """Where nothing is expected yet, or all is revoked, only a reset leads on."""
    return _is_x509(device) and not _is_revoked(device) and certificate_card.pins_of(device).current is not None


CERTIFICATE_ACTIONS = (
    PageAction(
        name="next_certificate",
        permission=PIN,
        label=_("Set the next certificate"),
        title=_("Which certificate comes next?"),
        words=(
            _(
                "The device goes on with the one that it has until it presents this one: then this is the one that is expected, "
                "and the old one is refused from then on."
            ),
            _("Empty: none is announced, and every other certificate is refused."),
        ),
        confirm=_("Save"),
        form=NextForm,
        initial=_announced,
        run=_set_next,
        offered=_may_change,
    ),
    PageAction(
        name="reset_pin",
        permission=PIN,
        label=_("Reset the pin"),
        title=_("Reset what certificate is expected?"),
        words=(
            _("For a device that was given another certificate, or whose certificates were revoked: what was expected counts no more."),
            _("Give the certificate that is expected from now on. Empty: the next one that it presents is taken."),
            _("A certificate whose serial number was revoked stays revoked."),
        ),
        warnings=(
            _("Left empty, the first who comes with a certificate of this name from a CA of the product is the device from then on."),
        ),
        confirm=_("Reset the pin"),
        form=ResetForm,
        run=_reset,
        offered=_is_x509,
    ),
    PageAction(
        name="revoke_certificates",
        permission=REVOKE,
        label=_("Revoke"),
        title=_("Revoke this device's certificates?"),
        words=(
            _(
                "None is accepted from it any more until its pin is reset. The one that it presented last is revoked by its serial number "
                "in every data center, and so are all that were issued to it here."
            ),
            _("Where it is connected now it is cut off, as soon as its broker can do that; the page tells what became of it."),
        ),
        warnings=(_("What was revoked by its serial number stays so. The device needs another certificate."),),
        confirm=_("Revoke"),
        form=RevokeForm,
        run=_revoke,
        offered=lambda device: _is_x509(device) and not _is_revoked(device),
        danger=True,
    ),
)
