"""The second factor: a code of the authenticator app, or one of ten recovery codes for the day when the phone is gone.

A recovery code has 80 random bits and is stored as a digest of as many: a table that leaks gives none away, and no slow hash is needed.
(django-otp would store the code itself.) Keys of authenticator apps are stored as django-otp does, readable: they must be computed with.
"""

import os
from base64 import b32encode
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from console import audit, authenticators
from console.errors import Conflict, Forbidden
from console.people.throttling import TooManyTries
from console.shared.actors import Actor

CODES = 10
FEW = 3
"""With fewer recovery codes left, the account page warns."""
MOST_FAILURES = 12
"""After so many wrong codes in a row, the wait of django-otp (1 s, 2 s, 4 s ...) grows no longer: 34 minutes. Else a stranger who has the
password could lock its owner out for ever."""
MISREAD = str.maketrans("018", "OIB")
"""Digits that no recovery code has, and the letters that somebody copying from paper took for them."""
APP, RECOVERY_CODE, PASSWORD = "app", "recovery code", "password"


class WrongFactor(Forbidden):
    """The code opens nothing."""

    code = "wrong_code"
    default_message = "This is not the code that the app shows now. Each code counts once: wait for the next one."


def of(user: Any) -> TOTPDevice | None:
    """The authenticator app that the person must prove themselves with; None where the password is enough."""
    return None if settings.NAMEPLATE_SECOND_FACTOR == "off" else authenticators.of(user)


def check(user: Any, code: str) -> str:
    """Uses the code up; returns APP or RECOVERY_CODE. Raises WrongFactor or TooManyTries.

    A wrong try is counted in a transaction of its own: call it before the caller's begins.
    """
    text = "".join(code.split()).replace("-", "").upper()
    kind, token = (APP, text) if len(text) == 6 and text.isdecimal() else (RECOVERY_CODE, _digest(text.translate(MISREAD)))
    with transaction.atomic():
        device = _locked(user, kind)
        allowed, why = device.verify_is_allowed() if device else (True, {})
        accepted = bool(device and allowed and device.verify_token(token))
        if device and allowed and not accepted:
            type(device).objects.filter(pk=device.pk).update(throttling_failure_count=Least(F("throttling_failure_count"), MOST_FAILURES))
    if not allowed:
        raise TooManyTries(why["locked_until"], timezone.now())
    if not accepted:
        raise WrongFactor("" if kind == APP else "This is none of your recovery codes, or it was used already.", field="code")
    return kind


def _locked(user: Any, kind: str) -> Any:
    """The row is locked, so that one code is good for one person at a time."""
    devices: Any = TOTPDevice.objects if kind == APP else StaticDevice.objects
    return devices.select_for_update().filter(user=user, confirmed=True).first()


@transaction.atomic
def set_up(user: Any, code: str, *, by: Actor, at: datetime) -> list[str]:
    """The app shows the right code: it counts from now on, with new recovery codes, which are returned. Raises Invalid or Conflict."""
    authenticators.confirm(user, code, by=by, at=at)
    return _renew(user)


@transaction.atomic
def renew_recovery_codes(user: Any, *, by: Actor, at: datetime) -> list[str]:
    """Ten new codes; those before open nothing any more. Raises Conflict where there is no app that they could stand in for."""
    if authenticators.of(user) is None:
        raise Conflict("Set up an authenticator app first.")
    codes = _renew(user)
    audit.record("account.recovery_codes_renew", user, by=by, at=at, count=len(codes))
    return codes


@transaction.atomic
def remove(user: Any, *, by: Actor, at: datetime) -> None:
    """The app, and the recovery codes with it. Raises Conflict."""
    authenticators.remove(user, by=by, at=at)
    StaticDevice.objects.filter(user=user).delete()


def recovery_codes_left(user: Any) -> int:
    return int(StaticToken.objects.filter(device__user=user, device__confirmed=True).count())


def _renew(user: Any) -> list[str]:
    """A new row for the new codes: what waits for the old one finds none of them."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes")
    codes = [b32encode(os.urandom(10)).decode() for _number in range(CODES)]
    StaticToken.objects.bulk_create([StaticToken(device=device, token=_digest(code)) for code in codes])
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def _digest(code: str) -> str:
    """16 characters, which the column holds: the first 80 bits of SHA-256."""
    return b32encode(sha256(code.encode()).digest()[:10]).decode()
