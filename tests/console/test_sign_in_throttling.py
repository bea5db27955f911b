"""How often somebody may try, and that nobody locks anybody else out."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.models import AuditEntry, SignIn
from console.people import second_factor, throttling
from console.people.throttling import ADDRESS_LIMIT, TooManyTries
from tests import cast
from tests.console.signing_in import Clock, clock, code_of, enter_password, is_in, with_app, wrong

pytestmark = pytest.mark.django_db
__all__ = ["clock"]
LIMIT = 5
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def olga() -> Any:
    return cast.administrator("olga")


def fail(client: Client, times: int, name: str = "olga", **headers: Any) -> str:
    """What the last page says."""
    texts = [enter_password(client, name, "wrong", **headers).content.decode() for _number in range(times)]
    return texts[-1]


def test_four_wrong_tries_are_forgiven_and_the_fifth_locks(client: Client, olga: Any) -> None:
    assert "correct username and password" in fail(client, LIMIT - 1)
    enter_password(client)
    assert is_in(client)
    client.logout()
    assert "Wait 15 min" in fail(client, LIMIT)
    enter_password(client)
    assert not is_in(client)


def test_the_lock_opens_after_a_quarter_of_an_hour_and_not_before(client: Client, olga: Any, clock: Clock) -> None:
    fail(client, LIMIT)
    clock.wait(minutes=14, seconds=30)
    assert "Wait 30 s" in fail(client, 1)
    clock.wait(seconds=30)
    enter_password(client)
    assert is_in(client)


def test_another_browser_at_the_same_address_begins_no_new_count(client: Client, olga: Any) -> None:
    fail(client, 3, HTTP_USER_AGENT="Firefox")
    assert "Too many" in fail(client, 2, HTTP_USER_AGENT="curl")


def test_a_stranger_elsewhere_does_not_lock_a_person_out(client: Client, olga: Any) -> None:
    assert "Too many" in fail(Client(), LIMIT, **ELSEWHERE)
    enter_password(client)
    assert is_in(client)


def test_names_are_not_tried_through_from_one_address(client: Client, olga: Any) -> None:
    for number in range(ADDRESS_LIMIT - 1):
        assert "Too many" not in fail(client, 1, f"name{number}", **ELSEWHERE)
    assert "Too many" in fail(client, 1, "name-last", **ELSEWHERE)
    enter_password(client, **ELSEWHERE)
    assert not SignIn.objects.exists()


def test_who_signed_in_there_before_is_not_locked_out_by_others_behind_the_same_address(client: Client, olga: Any) -> None:
    cast.administrator("otto")
    enter_password(client, "otto")
    client.logout()
    for number in range(ADDRESS_LIMIT):
        fail(Client(), 1, f"name{number}")
    enter_password(client, "olga")
    assert not is_in(client)
    enter_password(client, "otto")
    assert is_in(client)


def test_a_whole_ipv6_network_counts_as_one_address(client: Client, olga: Any) -> None:
    for host in range(1, LIMIT):
        fail(client, 1, REMOTE_ADDR=f"2001:db8:1:2::{host}")
    assert "Too many" in fail(client, 1, REMOTE_ADDR="2001:db8:1:2:ffff::1")
    assert "Too many" not in fail(client, 1, REMOTE_ADDR="2001:db8:1:3::1")


@override_settings(NAMEPLATE_TRUSTED_PROXIES=("127.0.0.1",))
def test_behind_a_proxy_the_client_is_counted_and_its_invented_addresses_are_not(client: Client, olga: Any) -> None:
    for number in range(LIMIT - 1):
        fail(client, 1, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.9")
    assert "Too many" in fail(client, 1, HTTP_X_FORWARDED_FOR="198.51.100.99, 203.0.113.9")
    assert "Too many" not in fail(client, 1, HTTP_X_FORWARDED_FOR="203.0.113.10")


def test_a_lock_out_is_one_audit_entry_and_names_nobody_unknown(client: Client, olga: Any) -> None:
    fail(client, LIMIT + 3)
    line = AuditEntry.objects.get()
    assert (line.action, line.target_label, line.address, line.after["tries"]) == ("account.lock_out", "olga", "127.0.0.1", LIMIT)
    fail(client, LIMIT, "a password in the wrong field", **ELSEWHERE)
    assert AuditEntry.objects.latest("id").target_label == "203.0.113.9"
    assert not AuditEntry.objects.filter(target_label__contains="wrong field").exists()


def test_wrong_codes_count_like_wrong_passwords(client: Client, olga: Any, clock: Clock) -> None:
    _device, codes = with_app(olga)
    enter_password(client)
    for _number in range(LIMIT - 1):
        clock.wait(seconds=20)
        assert "none of your recovery codes" in client.post("/login/code/", {"code": wrong(codes[0])}).content.decode()
    clock.wait(seconds=20)
    assert "Wait 15 min" in client.post("/login/code/", {"code": wrong(codes[0])}).content.decode()
    client.post("/login/code/", {"code": codes[0]})
    assert not is_in(client)
    assert second_factor.recovery_codes_left(olga) == second_factor.CODES


def test_the_password_alone_does_not_take_wrong_codes_back(client: Client, olga: Any, clock: Clock) -> None:
    _device, codes = with_app(olga)
    for _number in range(LIMIT):
        clock.wait(seconds=20)
        enter_password(client)
        page = client.post("/login/code/", {"code": wrong(codes[0])}).content.decode()
    assert "Wait 15 min" in page


@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_each_wrong_code_doubles_the_wait_up_to_a_bound_wherever_it_comes_from(olga: Any, clock: Clock, kind: str) -> None:
    device, codes = with_app(olga)
    code = code_of(device, 1) if kind == "app" else codes[0]
    rows: Any = (TOTPDevice if kind == "app" else StaticDevice).objects.filter(user=olga)
    for failures in range(1, second_factor.MOST_FAILURES + 3):
        with pytest.raises(second_factor.WrongFactor):
            second_factor.check(olga, wrong(code))
        wait = 2 ** (min(failures, second_factor.MOST_FAILURES) - 1)
        assert rows.get().throttling_failure_count == min(failures, second_factor.MOST_FAILURES)
        clock.wait(seconds=wait - 0.5)
        with pytest.raises(TooManyTries):
            second_factor.check(olga, code)
        clock.wait(seconds=0.5)
    assert second_factor.check(olga, code) == kind
    assert rows.get().throttling_failure_count == 0


def test_the_confirm_page_is_throttled_and_leaves_the_session(client: Client, olga: Any) -> None:
    client.force_login(olga)
    pages = [client.post("/account/confirm/", {"code": "wrong"}).content.decode() for _number in range(LIMIT)]
    assert "not your password" in pages[-2]
    assert "Wait 15 min" in pages[-1]
    assert "Wait 15 min" in client.post("/account/confirm/", {"code": cast.PASSWORD}).content.decode()
    assert is_in(client)


def test_old_tries_go_by_themselves_and_an_administrator_opens_a_lock_at_once(client: Client, olga: Any, clock: Clock) -> None:
    fail(client, LIMIT)
    call_command("axes_reset_username", "olga")
    enter_password(client)
    assert is_in(client)
    fail(Client(), 2, "nobody")
    clock.wait(minutes=16)
    fail(Client(), 1, "somebody")
    assert AccessAttempt.objects.count() == 1


def test_the_wait_is_told_in_whole_seconds_and_minutes() -> None:
    now = timezone.now()
    for left, words in ((0.2, "1 s"), (59.1, "1 min"), (59, "59 s"), (61, "2 min"), (900, "15 min")):
        assert f"Wait {words}," in TooManyTries(now + timedelta(seconds=left), now).message
    assert throttling.locked_until("olga", "127.0.0.1", now) is None
