"""Signing in: name and password, then the second factor."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from django.urls import reverse

from console.models import AuditEntry, SignIn
from tests import cast
from tests.console.signing_in import Clock, clock, code_of, enter_password, is_in, with_app, wrong

pytestmark = pytest.mark.django_db
__all__ = ["clock"]
CODE = "/login/code/"


@pytest.fixture
def olga() -> Any:
    return cast.administrator("olga")


def test_without_an_app_the_password_signs_in(client: Client, olga: Any) -> None:
    assert enter_password(client)["Location"] == "/"
    assert is_in(client)
    line = AuditEntry.objects.get()
    assert (line.action, line.actor_name, line.address, line.after["with"]) == ("account.sign_in", "olga", "127.0.0.1", "password")


def test_with_an_app_the_password_alone_opens_nothing(client: Client, olga: Any) -> None:
    with_app(olga)
    assert enter_password(client)["Location"].startswith(CODE)
    for url in ("/", "/account/", "/account/confirm/", reverse("admin:products_product_changelist")):
        assert "/login/" in client.get(url)["Location"], url
    assert not SignIn.objects.exists()


def test_the_code_of_the_app_signs_in(client: Client, olga: Any) -> None:
    device, _codes = with_app(olga)
    enter_password(client)
    assert client.post(CODE, {"code": code_of(device, 1)})["Location"] == "/"
    assert is_in(client)
    assert SignIn.objects.get().second_factor


def test_it_refuses_a_wrong_code_and_one_that_was_used(client: Client, olga: Any) -> None:
    device, _codes = with_app(olga)
    enter_password(client)
    page = client.post(CODE, {"code": code_of(device)}).content.decode()
    assert "Each code counts once" in page
    assert not is_in(client)


def test_a_recovery_code_signs_in_once_in_any_spelling(client: Client, olga: Any) -> None:
    _device, codes = with_app(olga)
    enter_password(client)
    client.post(CODE, {"code": codes[3].replace("O", "0").replace("I", "1").lower().replace("-", " ")})
    assert "9 are left" in client.get("/").content.decode()
    assert is_in(client)
    client.post(reverse("admin:logout"))
    enter_password(client)
    assert "none of your recovery codes" in client.post(CODE, {"code": codes[3]}).content.decode()
    assert not is_in(client)


def test_the_second_step_needs_the_first_one(client: Client, olga: Any) -> None:
    device, _codes = with_app(olga)
    assert client.post(CODE, {"code": code_of(device, 1)})["Location"].startswith("/login/?")
    assert not is_in(client)


def test_the_second_step_may_take_five_minutes(client: Client, olga: Any, clock: Clock) -> None:
    device, _codes = with_app(olga)
    enter_password(client)
    clock.wait(seconds=300)
    assert client.get(CODE).status_code == 200
    clock.wait(seconds=1)
    assert client.post(CODE, {"code": code_of(device, 1)}).status_code == 302
    assert not is_in(client)
    assert "Please begin again" in client.get("/login/").content.decode()


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}, {"password": "another"}])
def test_who_is_changed_between_the_steps_begins_again(client: Client, olga: Any, change: dict[str, Any]) -> None:
    device, _codes = with_app(olga)
    enter_password(client)
    get_user_model().objects.filter(pk=olga.pk).update(**change)
    assert client.post(CODE, {"code": code_of(device, 1)})["Location"].startswith("/login/?")
    assert not is_in(client)


def test_a_stranger_a_wrong_password_and_a_person_without_access_read_the_same(client: Client, olga: Any) -> None:
    get_user_model().objects.create_user("visitor", password=cast.PASSWORD)
    get_user_model().objects.create_user("gone", password=cast.PASSWORD, is_staff=True, is_active=False)
    tries = [("olga", "wrong"), ("nobody", "wrong"), ("visitor", cast.PASSWORD), ("gone", cast.PASSWORD)]
    texts = {client.post("/login/", {"username": name, "password": password}).context["form"].errors.as_text() for name, password in tries}
    assert len(texts) == 1
    assert "correct username and password" in texts.pop()


def test_a_name_that_nobody_has_costs_the_same_work(client: Client, olga: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    with override_settings(PASSWORD_HASHERS=["tests.console.signing_in.CountingHasher"]):
        from tests.console.signing_in import CountingHasher

        olga.set_password(cast.PASSWORD)
        olga.save()
        monkeypatch.setattr(CountingHasher, "seen", hashed)
        enter_password(client, password="wrong")
        known = len(hashed)
        enter_password(client, name="nobody", password="wrong")
        assert len(hashed) - known == known == 1


@pytest.mark.parametrize("step", ["password", "code"])
@pytest.mark.parametrize(
    "away", ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example", "javascript:alert(1)", "http:///x.example"]
)
def test_it_leads_to_no_other_site(client: Client, olga: Any, away: str, step: str) -> None:
    if step == "password":
        assert client.post(f"/login/?next={away}", {"username": "olga", "password": cast.PASSWORD})["Location"] == "/"
        return
    device, _codes = with_app(olga)
    enter_password(client)
    assert client.post(CODE, {"code": code_of(device, 1), "next": away})["Location"] == "/"


def test_it_leads_to_the_page_that_was_asked_for_through_both_steps(client: Client, olga: Any) -> None:
    device, _codes = with_app(olga)
    first = client.post("/login/", {"username": "olga", "password": cast.PASSWORD, "next": "/account/"})
    assert 'name="next" value="/account/"' in client.get(first["Location"]).content.decode()
    assert client.post(CODE, {"code": code_of(device, 1), "next": "/account/"})["Location"] == "/account/"


def test_a_sign_in_takes_a_new_session_key_and_a_safe_cookie(client: Client, olga: Any) -> None:
    with_app(olga)
    enter_password(client)
    before = client.cookies["sessionid"].value
    client.post(CODE, {"code": code_of(olga.totpdevice_set.get(), 1)})
    cookie = client.cookies["sessionid"]
    assert cookie.value != before
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_off_asks_for_no_code(client: Client, olga: Any) -> None:
    with_app(olga)
    with override_settings(NAMEPLATE_SECOND_FACTOR="off"):
        enter_password(client)
        assert is_in(client)


@override_settings(NAMEPLATE_SECOND_FACTOR="required")
def test_required_lets_nothing_else_work_before_a_second_factor_is_set_up(client: Client, olga: Any) -> None:
    enter_password(client)
    for url in ("/", "/account/", reverse("admin:products_product_changelist"), reverse("api:docs")):
        assert client.get(url)["Location"] == "/account/authenticator/", url
    assert client.get("/account/authenticator/").status_code == 200
    client.post("/account/authenticator/", {"code": code_of(olga.totpdevice_set.get())})
    assert is_in(client)
    client.post("/account/authenticator/remove/")
    assert client.get("/")["Location"] == "/account/authenticator/"


def test_who_looks_after_people_without_a_second_factor_is_asked_for_one(client: Client, olga: Any) -> None:
    client.force_login(olga)
    assert "Your password alone opens everything" in client.get("/").content.decode()
    with_app(olga)
    assert "Your password alone opens everything" not in client.get("/").content.decode()


def test_sign_out_ends_the_session_and_leaves_a_line(client: Client, olga: Any) -> None:
    enter_password(client)
    assert client.get(reverse("admin:logout")).status_code == 405
    assert is_in(client)
    client.post(reverse("admin:logout"))
    assert not is_in(client)
    assert SignIn.objects.get().ended_at
    assert AuditEntry.objects.filter(action="account.sign_out", actor_name="olga").count() == 1


def test_wrong_codes_are_not_kept_anywhere(client: Client, olga: Any) -> None:
    from axes.models import AccessAttempt

    _device, codes = with_app(olga)
    enter_password(client)
    client.post(CODE, {"code": wrong(codes[0])})
    kept = AccessAttempt.objects.get()
    assert wrong(codes[0]) not in kept.post_data
    assert "csrf" not in kept.post_data or "***" in kept.post_data
