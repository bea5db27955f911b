"""Signing in with a second factor, proving oneself again, and ending a session from another browser: in Chromium."""

import re
from base64 import b32decode
from collections.abc import Iterator

import pytest
from django.conf import global_settings
from django.contrib.auth import get_user_model
from django.test import override_settings
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Browser

from console.models import SignIn
from tests import cast
from tests.flows.operator import Operator
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(browser: Browser, running_server: Server) -> Iterator[tuple[Operator, Operator]]:
    """Two browsers in front of a console with one product: at the desk, and narrow, in the dark."""
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):  # The server knows nothing of the tests' quick one.
        cast.administrator()
    cast.home()
    cast.kettle()
    desk = browser.new_context(viewport={"width": 1280, "height": 900})
    pocket = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    yield Operator(desk.new_page(), running_server.url), Operator(pocket.new_page(), running_server.url)
    desk.close()
    pocket.close()


def shown_code(key: str, *, drift: int = 0) -> str:
    """What an app shows that was told the key of the page."""
    plain = key.replace(" ", "")
    return f"{TOTP(b32decode(plain + '=' * (-len(plain) % 8)), drift=drift).token():06d}"


def set_up_app(person: Operator) -> tuple[str, list[str]]:
    """The key as the page tells it, and the recovery codes."""
    person.open("/account/authenticator/")
    key = person.page.locator(".np-secret").inner_text()
    person.fill(Code=shown_code(key))
    person.press("Confirm")
    person.sees("You see them this once")
    return key, person.page.locator(".np-codes li").all_inner_texts()


def no_step_back(person: Operator) -> None:
    """Until codes of this moment are good again: each counts once."""
    TOTPDevice.objects.update(last_t=0, throttling_failure_count=0, throttling_failure_timestamp=None)


def narrow_enough(person: Operator) -> None:
    assert person.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), person.page.url


def test_a_person_signs_in_with_an_app_and_ends_a_session_elsewhere(people: tuple[Operator, Operator]) -> None:
    desk, pocket = people
    desk.sign_in("admin", cast.PASSWORD)
    desk.sees("Your password alone opens everything")
    key, codes = set_up_app(desk)
    assert len(codes) == 10

    pocket.open("/account/")
    pocket.fill(Username="admin", Password=cast.PASSWORD)
    pocket.press("Sign in")
    pocket.sees("Now the code")
    narrow_enough(pocket)
    pocket.fill(Code="000000")
    pocket.page.keyboard.press("Enter")
    pocket.sees("Each code counts once")
    no_step_back(pocket)
    pocket.fill(Code=shown_code(key))
    pocket.page.keyboard.press("Enter")
    pocket.sees("Where you are signed in", "This one")
    narrow_enough(pocket)

    desk.open("/account/")
    desk.sees("Chrome on Linux", "10 recovery codes are left")
    desk.page.get_by_role("button", name=re.compile("^End Chrome")).click()
    desk.sees("The session is ended.")
    pocket.open("/account/")
    pocket.sees("The register of your fleet.")
    assert SignIn.objects.filter(ended_at=None).count() == 1
    assert not [complaint for person in people for complaint in person.complaints]


def test_a_secret_is_shown_to_somebody_who_has_just_proved_who_they_are(people: tuple[Operator, Operator]) -> None:
    _desk, pocket = people
    pocket.sign_in("admin", cast.PASSWORD)
    key, _codes = set_up_app(pocket)
    forget_the_proof()
    pocket.open("/products/product/")
    pocket.open_row("Kettle")
    pocket.page.locator("[data-dialog=dialog-reveal_secret]").click()
    pocket.press("Show the secret")
    pocket.sees("Is it still you?")
    narrow_enough(pocket)
    no_step_back(pocket)
    pocket.fill(Code=shown_code(key))
    pocket.press("Continue")
    pocket.sees("Show the ProductSecret?")
    pocket.press("Show the secret")
    pocket.sees("h1nQFYPZS0mW1234")
    assert not pocket.complaints


def test_a_recovery_code_stands_in_for_a_lost_phone(people: tuple[Operator, Operator]) -> None:
    desk, pocket = people
    desk.sign_in("admin", cast.PASSWORD)
    _key, codes = set_up_app(desk)
    pocket.open()
    pocket.fill(Username="admin", Password=cast.PASSWORD)
    pocket.press("Sign in")
    pocket.sees("Now the code")
    pocket.fill(Code=codes[0])
    pocket.press("Sign in")
    pocket.sees("You used a recovery code. 9 are left.")
    assert not [complaint for person in people for complaint in person.complaints]


def forget_the_proof() -> None:
    """As ten minutes later."""
    from django.contrib.sessions.models import Session

    from console.people.session_store import SessionStore
    from console.shared import confirmation

    for row in Session.objects.all():
        kept = SessionStore().decode(row.session_data)
        kept.pop(confirmation.KEY, None)
        Session.objects.filter(pk=row.pk).update(session_data=SessionStore().encode(kept))
    assert get_user_model().objects.exists()
