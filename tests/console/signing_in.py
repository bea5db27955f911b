"""Somebody at the sign-in page, with an authenticator app, and a clock that a test turns."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.people import second_factor
from console.shared.actors import Actor
from tests import cast

OLGA = Actor("olga", None, "127.0.0.1")


class Clock:
    """`at`: what the console takes for now."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    turned = Clock(timezone.now())
    monkeypatch.setattr(timezone, "now", lambda: turned.at)
    monkeypatch.setattr("axes.handlers.proxy.now", lambda: turned.at)
    return turned


def with_app(user: Any) -> tuple[TOTPDevice, list[str]]:
    """The app and its recovery codes. The code of this moment is used up, that of the next half minute is good."""
    device = TOTPDevice.objects.create(user=user, confirmed=False, name="Authenticator app")
    codes = second_factor.set_up(user, code_of(device), by=OLGA, at=timezone.now())
    return device, codes


def code_of(device: TOTPDevice, drift: int = 0) -> str:
    """`drift`: half minutes from now."""
    return f"{TOTP(device.bin_key, drift=drift).token():06d}"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}" if code.isdecimal() else code[::-1]


def enter_password(client: Client, name: str = "olga", password: str = cast.PASSWORD, **headers: Any) -> Any:
    return client.post("/login/", {"username": name, "password": password}, **headers)


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


class CountingHasher(MD5PasswordHasher):
    """Notes each time that it works."""

    seen: list[str] = []

    def encode(self, password: str, salt: str) -> str:
        self.seen.append(salt)
        return super().encode(password, salt)
