"""A person's authenticator app (TOTP): added in two steps, so that nobody confirms with a key that the app never got."""

from base64 import b32encode
from datetime import datetime
from typing import Any

import segno
from django.db import transaction
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from console import audit
from console.errors import Conflict, Invalid
from console.shared.actors import Actor


def of(user: Any) -> TOTPDevice | None:
    """The confirmed one."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def offered_to(user: Any) -> TOTPDevice:
    """A key that waits for its first code; the same one until it is confirmed."""
    device, _made = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": "Authenticator app"})
    return device


@transaction.atomic
def confirm(user: Any, code: str, *, by: Actor, at: datetime) -> None:
    """The app shows the right code: from now on it counts, and the one before does not. Raises Invalid or Conflict."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None:
        raise Conflict(_("There is no authenticator app that waits for its first code."))
    if not device.verify_token(code.strip()):
        raise Invalid(_("This is not the code that the app shows now. Check the clock of your phone."), field="code")
    TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    audit.record("account.authenticator_add", user, by=by, at=at)


@transaction.atomic
def remove(user: Any, *, by: Actor, at: datetime) -> None:
    """Raises Conflict."""
    deleted, _kinds = TOTPDevice.objects.filter(user=user, confirmed=True).delete()
    if not deleted:
        raise Conflict(_("You have no authenticator app."))
    audit.record("account.authenticator_remove", user, by=by, at=at)


def qr_code(device: TOTPDevice) -> str:
    """The key as an SVG element, to be set into a page."""
    return segno.make(device.config_url, error="m").svg_inline(border=2, dark="#0b1220", light="#ffffff", omitsize=True)


def readable_key(device: TOTPDevice) -> str:
    """In base32, in groups of four, for typing it in."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
