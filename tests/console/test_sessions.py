"""Sessions: seen, listed, ended, and over when their time is."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console import tasks
from console.models import AuditEntry, SignIn
from console.people import accounts, browsers, session_guard, sign_ins
from console.shared.actors import SYSTEM
from tests import cast
from tests.console.signing_in import OLGA, Clock, clock, enter_password, is_in

pytestmark = pytest.mark.django_db
__all__ = ["clock"]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
CHROME = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36"


@pytest.fixture
def olga() -> Any:
    return cast.administrator("olga")


@pytest.fixture
def desk(client: Client, olga: Any) -> Client:
    enter_password(client, HTTP_USER_AGENT=FIREFOX)
    return client


@pytest.fixture
def phone(olga: Any) -> Client:
    client = Client()
    enter_password(client, HTTP_USER_AGENT=CHROME, REMOTE_ADDR="203.0.113.9")
    return client


def test_the_account_page_lists_ones_own_sessions(desk: Client, phone: Client) -> None:
    stranger = Client(REMOTE_ADDR="198.51.100.1")
    cast.administrator("otto")
    enter_password(stranger, "otto")
    page = " ".join(desk.get("/account/").content.decode().split())
    assert "Firefox on Windows <span" in page and "This one" in page
    assert "Chrome on Android" in page and "203.0.113.9" in page
    assert "198.51.100.1" not in page


def test_one_session_is_ended_from_another(desk: Client, phone: Client) -> None:
    theirs = SignIn.objects.get(address="203.0.113.9")
    assert desk.get(reverse("admin:account_session_end", args=[theirs.pk])).status_code == 405
    desk.post(reverse("admin:account_session_end", args=[theirs.pk]))
    assert not is_in(phone)
    assert is_in(desk)
    line = AuditEntry.objects.latest("id")
    assert (line.action, line.before) == ("account.end_sessions", {"sessions": ["Chrome on Android, 203.0.113.9"]})
    assert "over already" in desk.post(reverse("admin:account_session_end", args=[theirs.pk]), follow=True).content.decode()


def test_nobody_ends_a_session_of_somebody_else(desk: Client) -> None:
    other = Client()
    cast.administrator("otto")
    enter_password(other, "otto")
    desk.post(reverse("admin:account_session_end", args=[SignIn.objects.get(user__username="otto").pk]))
    assert is_in(other)


def test_all_others_are_ended_at_once(desk: Client, phone: Client) -> None:
    third = Client()
    enter_password(third)
    desk.post(reverse("admin:account_sessions_end"))
    assert is_in(desk) and not is_in(phone) and not is_in(third)
    assert AuditEntry.objects.latest("id").count == 2


def test_a_session_that_never_asks_again_is_over_after_an_idle_hour(desk: Client, clock: Clock) -> None:
    assert is_in(desk)
    clock.wait(minutes=59)
    assert is_in(desk)
    clock.wait(minutes=61)
    assert not is_in(desk)
    assert SignIn.objects.get().ended_at == clock.at
    assert not Session.objects.filter(session_key=SignIn.objects.get().session).exists()


def test_twelve_hours_are_the_longest_however_busy_it_is(desk: Client, clock: Clock) -> None:
    for _half_hour in range(23):
        clock.wait(minutes=30)
        assert is_in(desk)
        desk.post("/account/confirm/", {"code": cast.PASSWORD})  # Writes the session, which must not make it longer.
    clock.wait(minutes=31)
    assert not is_in(desk)


def test_last_seen_is_written_once_a_minute(desk: Client, clock: Clock, django_assert_num_queries: Any) -> None:
    session_guard._seen.clear()
    is_in(desk)
    first = SignIn.objects.get().seen_at
    clock.wait(seconds=59)
    is_in(desk)
    assert SignIn.objects.get().seen_at == first
    clock.wait(seconds=2)
    is_in(desk)
    assert SignIn.objects.get().seen_at == clock.at


def test_a_disabled_person_is_out_at_the_next_request_and_stays_out(desk: Client, olga: Any) -> None:
    get_user_model().objects.filter(pk=olga.pk).update(is_active=False)
    assert not is_in(desk)
    get_user_model().objects.filter(pk=olga.pk).update(is_active=True)
    assert not is_in(desk)
    assert SignIn.objects.get().ended_at


def test_who_is_disabled_on_their_page_has_no_session_left(desk: Client, olga: Any) -> None:
    cast.administrator("otto")
    accounts.disable(olga.pk, reason="left the company", by=SYSTEM, at=timezone.now())
    assert SignIn.objects.get().ended_at
    accounts.enable(olga.pk, by=SYSTEM, at=timezone.now())
    assert not is_in(desk)


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(desk: Client, phone: Client) -> None:
    new = {"old_password": cast.PASSWORD, "new_password1": "a new one 12345", "new_password2": "a new one 12345"}
    before = desk.cookies["sessionid"].value
    desk.post("/password_change/", new)
    assert desk.cookies["sessionid"].value != before
    assert is_in(desk) and not is_in(phone)
    assert [session.address for session in sign_ins.of(get_user_model().objects.get(), at=timezone.now())] == ["127.0.0.1"]
    assert "This one" in desk.get("/account/").content.decode()


def test_an_administrator_sees_and_ends_the_sessions_of_a_person(desk: Client) -> None:
    other = Client(REMOTE_ADDR="203.0.113.77")
    otto = cast.administrator("otto")
    enter_password(other, "otto")
    page = reverse("admin:auth_user_change", args=[otto.pk])
    assert "203.0.113.77" in desk.get(page).content.decode()
    desk.post(reverse("admin:auth_user_end_sessions", args=[otto.pk]))
    assert not is_in(other)
    assert "Nowhere." in desk.get(page).content.decode()
    line = AuditEntry.objects.latest("id")
    assert (line.action, line.actor_name, line.target_label) == ("account.end_sessions", "olga", "otto")


def test_the_table_of_sessions_signs_nobody_in(desk: Client) -> None:
    stored = Session.objects.get(session_key=SignIn.objects.get().session).session_key
    assert stored != desk.cookies["sessionid"].value
    thief = Client()
    thief.cookies["sessionid"] = stored
    assert not is_in(thief)


def test_the_sweep_forgets_old_sessions_and_keeps_young_ones(desk: Client, olga: Any) -> None:
    now = timezone.now()
    SignIn.objects.create(user=olga, session="old", started_at=now - timedelta(days=31), seen_at=now - timedelta(days=31), browser="x")
    SignIn.objects.create(user=olga, session="idle", started_at=now - timedelta(hours=3), seen_at=now - timedelta(hours=2), browser="x")
    Session.objects.create(session_key="gone", session_data="", expire_date=now - timedelta(seconds=1))
    tasks.purge_sign_ins()
    assert set(SignIn.objects.exclude(session="idle").values_list("ended_at", flat=True)) == {None}
    assert SignIn.objects.get(session="idle").ended_at
    assert not SignIn.objects.filter(session="old").exists()
    assert not Session.objects.filter(session_key="gone").exists()
    assert is_in(desk)


def test_ending_the_sessions_of_somebody_who_has_none_leaves_no_line(olga: Any) -> None:
    assert sign_ins.end_all(olga, by=OLGA, at=timezone.now()) == 0
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (CHROME, "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", "Safari on macOS"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
        ("<script>Linux</script>", "Linux"),
    ],
)
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert browsers.in_words(agent) == words
