"""One-time verification codes: asked for by a person for one purpose, sent through a channel chosen in the settings, good once.

Void after VALID_SECONDS or TRIES wrong tries. Channels: the server's log (the embedded default), mail, SMS through a gateway class,
or the person's authenticator app, which makes the code itself.
"""

import logging
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.errors import Forbidden, Unavailable
from console.models import VerificationCode

log = logging.getLogger(__name__)

VALID_SECONDS = 300
TRIES = 3
DIGITS = 6


class WrongCode(Forbidden):
    """The code is not the one that was sent; tries are left."""

    code = "wrong_code"


class VoidCode(Forbidden):
    """There is no code to redeem: none was asked for, it is too old, used, or was tried too often."""

    code = "void_code"
    default_message = "The verification code is void: it was used, tried three times, or is older than five minutes. Ask for a new one."


class NoChannel(Unavailable):
    """The person cannot be reached through the chosen channel."""

    code = "no_channel"


class SmsGateway(Protocol):
    """What settings.NAMEPLATE_SMS_GATEWAY names by its dotted path."""

    def send(self, *, number: str, text: str) -> None:
        """Raises OSError when the message could not be handed over."""
        ...


def request_code(*, user: Any, purpose: str) -> str:
    """Makes a code for `user` and `purpose`, voiding the one before, and sends it after commit. Returns a sentence that says where it is.

    Raises NoChannel.
    """
    channel = settings.NAMEPLATE_CODE_CHANNEL
    where = _check_channel(channel, user)
    with transaction.atomic():
        code, _made = VerificationCode.objects.update_or_create(user=user, purpose=purpose, defaults={"failures": 0, "name": purpose[:64]})
        code.generate_token(length=DIGITS, valid_secs=VALID_SECONDS)
    if channel != "totp":
        _send(channel, user, code.token, purpose)
    return where


def is_pending(*, user: Any, purpose: str, at: datetime) -> bool:
    """Whether a code was sent that can still be redeemed."""
    return VerificationCode.objects.filter(user=user, purpose=purpose, valid_until__gt=at).exists()


def redeem(code: str, *, user: Any, purpose: str, at: datetime) -> None:
    """Uses the code up. Raises WrongCode (with the tries left) or VoidCode.

    A wrong try must be counted even where the caller then fails, so call it before the caller's transaction begins.
    """
    with transaction.atomic():
        pending = VerificationCode.objects.select_for_update().filter(user=user, purpose=purpose).first()
        if pending is None or pending.valid_until <= at:
            VerificationCode.objects.filter(user=user, purpose=purpose).delete()
            raised: Forbidden | None = VoidCode()
        elif _matches(pending, code.strip(), user):
            pending.delete()
            raised = None
        else:
            raised = _count_failure(pending)
    if raised is not None:
        raise raised


def _count_failure(pending: VerificationCode) -> Forbidden:
    left = TRIES - pending.failures - 1
    if left <= 0:
        pending.delete()
        return VoidCode()
    pending.failures += 1
    pending.save(update_fields=["failures"])
    return WrongCode(_("The verification code is wrong. Tries left: {left}.").format(left=left), field="code")


def _matches(pending: VerificationCode, code: str, user: Any) -> bool:
    """Both libraries compare in constant time."""
    if settings.NAMEPLATE_CODE_CHANNEL == "totp":
        return any(device.verify_token(code) for device in TOTPDevice.objects.filter(user=user, confirmed=True))
    return bool(pending.verify_token(code))


def _check_channel(channel: str, user: Any) -> str:
    """Raises NoChannel before anything is made."""
    if channel == "totp":
        if not TOTPDevice.objects.filter(user=user, confirmed=True).exists():
            raise NoChannel(_("You have no authenticator app yet: add one under Your account."))
        return _("Your authenticator app shows the code.")
    if channel == "mail":
        if not user.email:
            raise NoChannel(_("Your account has no mail address to send the code to."))
        return _("The code was sent by mail to {address}.").format(address=_masked(user.email))
    if channel == "sms":
        if not _number(user):
            raise NoChannel(_("Your account has no phone number to send the code to."))
        return _("The code was sent by SMS to {number}.").format(number="…" + _number(user)[-4:])
    return _("The code stands in the server's log.")


def _send(channel: str, user: Any, token: str, purpose: str) -> None:
    """Raises NoChannel when the message could not be handed over."""
    text = _("{code} is your Nameplate verification code. It is valid for five minutes.").format(code=token)
    try:
        if channel == "mail":
            send_mail(_("Nameplate verification code"), text, None, [user.email])
        elif channel == "sms":
            gateway: SmsGateway = import_string(settings.NAMEPLATE_SMS_GATEWAY)()
            gateway.send(number=_number(user), text=text)
        else:
            log.warning("Verification code for %s (%s): %s", user.get_username(), purpose, token)
    except OSError as error:
        raise NoChannel(_("The code could not be sent. Try again in a moment.")) from error
    except ImportError as error:
        raise NoChannel(
            _("The SMS gateway of the settings (NAMEPLATE_SMS_GATEWAY) cannot be loaded. Tell whoever runs this server.")
        ) from error


def _number(user: Any) -> str:
    """The phone number of a person: settings.NAMEPLATE_SMS_NUMBERS, by user name."""
    return str(settings.NAMEPLATE_SMS_NUMBERS.get(user.get_username(), ""))


def _masked(address: str) -> str:
    name, _at, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"
