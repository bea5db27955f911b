"""A person's own account page: the authenticator app."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.models import AuditEntry
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(client: Client) -> Any:
    user = cast.administrator("olga")
    client.force_login(user)
    return user


def code_of(device: TOTPDevice) -> str:
    return f"{TOTP(device.bin_key).token():06d}"


def test_an_app_counts_from_its_first_right_code(client: Client, olga: Any) -> None:
    page = client.get(reverse("admin:account_authenticator")).content.decode()
    device = TOTPDevice.objects.get(user=olga)
    assert not device.confirmed
    assert "<svg" in page
    assert "viewBox" in page.split('class="np-qr"')[1]
    client.post(reverse("admin:account_authenticator"), {"code": code_of(device)})
    device.refresh_from_db()
    assert device.confirmed
    assert AuditEntry.objects.get().action == "account.authenticator_add"


def test_it_refuses_a_wrong_code(client: Client, olga: Any) -> None:
    client.get(reverse("admin:account_authenticator"))
    device = TOTPDevice.objects.get(user=olga)
    wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06d}"
    page = client.post(reverse("admin:account_authenticator"), {"code": wrong}).content.decode()
    assert "not the code that the app shows" in page
    assert not TOTPDevice.objects.get(user=olga).confirmed


def test_the_key_stays_the_same_until_it_is_confirmed_and_is_never_shown_after(client: Client, olga: Any) -> None:
    client.get(reverse("admin:account_authenticator"))
    key = TOTPDevice.objects.get(user=olga).key
    client.get(reverse("admin:account_authenticator"))
    device = TOTPDevice.objects.get(user=olga)
    assert device.key == key
    client.post(reverse("admin:account_authenticator"), {"code": code_of(device)})
    assert device.key not in client.get(reverse("admin:account")).content.decode()


def test_a_new_app_replaces_the_one_before(client: Client, olga: Any) -> None:
    old = TOTPDevice.objects.create(user=olga, confirmed=True)
    client.get(reverse("admin:account_authenticator"))
    client.post(reverse("admin:account_authenticator"), {"code": code_of(TOTPDevice.objects.get(user=olga, confirmed=False))})
    assert TOTPDevice.objects.get(user=olga).pk != old.pk


def test_it_is_removed_by_post_alone(client: Client, olga: Any) -> None:
    TOTPDevice.objects.create(user=olga, confirmed=True)
    assert client.get(reverse("admin:account_authenticator_remove")).status_code == 405
    assert TOTPDevice.objects.exists()
    client.post(reverse("admin:account_authenticator_remove"))
    assert not TOTPDevice.objects.exists()


def test_the_page_shows_who_one_is(client: Client, olga: Any) -> None:
    page = client.get(reverse("admin:account")).content.decode()
    assert "olga@example.com" in page
    assert reverse("admin:password_change") in page


def test_a_changed_password_leaves_an_audit_line_and_a_refused_one_none(client: Client, olga: Any) -> None:
    new = {"new_password1": "a new one 12345", "new_password2": "a new one 12345"}
    client.post(reverse("admin:password_change"), {"old_password": "wrong", **new})
    assert not AuditEntry.objects.exists()
    client.post(reverse("admin:password_change"), {"old_password": cast.PASSWORD, **new})
    assert AuditEntry.objects.get().action == "account.password_change"
    olga.refresh_from_db()
    assert olga.check_password("a new one 12345")
