"""The authenticator app's understudies, recovery codes; and the page that asks again before a secret."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.models import AuditEntry
from console.people import second_factor
from console.shared import confirmation
from devices.models import Device
from devices.services import admission
from products.services import lookup
from tests import cast
from tests.console.signing_in import Clock, clock, code_of, with_app, wrong
from tests.devices.test_code_downloads import made
from tests.registration import hooking

__all__ = ["clock"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(client: Client) -> Any:
    user = cast.administrator("olga")
    client.force_login(user)
    return user


def grow_old(client: Client) -> None:
    """The last proof is ten minutes old."""
    session = client.session
    confirmation.note(session, timezone.now() - confirmation.FRESH)
    session.save()


def test_setting_up_an_app_shows_ten_codes_once(client: Client, olga: Any) -> None:
    client.get("/account/authenticator/")
    answer = client.post("/account/authenticator/", {"code": code_of(TOTPDevice.objects.get())})
    codes = answer.context["codes"]
    assert len(set(codes)) == second_factor.CODES
    assert all(code in answer.content.decode() for code in codes)
    assert "no-store" in answer["Cache-Control"]
    assert codes[0] not in client.get("/account/").content.decode()
    assert "10 recovery codes are left" in client.get("/account/").content.decode()


def test_no_code_stands_in_the_database_or_the_audit(olga: Any) -> None:
    _device, codes = with_app(olga)
    kept = " ".join(StaticToken.objects.values_list("token", flat=True))
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]
    lines = str(list(AuditEntry.objects.values()))
    assert not [code for code in codes if code in lines]


def test_what_is_stored_opens_nothing(olga: Any, clock: Clock) -> None:
    with_app(olga)
    with pytest.raises(second_factor.WrongFactor):
        second_factor.check(olga, StaticToken.objects.all()[0].token)


def test_few_codes_left_are_warned_about(client: Client, olga: Any) -> None:
    _device, codes = with_app(olga)
    for code in codes[:7]:
        second_factor.check(olga, code)
    assert "Make new ones" not in client.get("/account/").content.decode()
    second_factor.check(olga, codes[7])
    assert "2 recovery codes are left. Make new ones" in client.get("/account/").content.decode()


def test_new_codes_replace_those_before(client: Client, olga: Any) -> None:
    _device, old = with_app(olga)
    assert client.get(reverse("admin:account_authenticator_codes")).status_code == 405
    new = client.post(reverse("admin:account_authenticator_codes")).context["codes"]
    assert second_factor.check(olga, new[0]) == "recovery code"
    with pytest.raises(second_factor.WrongFactor):
        second_factor.check(olga, old[0])
    assert AuditEntry.objects.filter(action="account.recovery_codes_renew").count() == 1


def test_there_are_no_codes_without_an_app(client: Client, olga: Any) -> None:
    answer = client.post(reverse("admin:account_authenticator_codes"), follow=True)
    assert "Set up an authenticator app first" in answer.content.decode()
    with_app(olga)
    client.post("/account/authenticator/remove/")
    assert not StaticToken.objects.exists()


def test_a_code_of_somebody_else_opens_nothing(olga: Any) -> None:
    with_app(olga)
    _device, codes = with_app(cast.administrator("otto"))
    with pytest.raises(second_factor.WrongFactor):
        second_factor.check(olga, codes[0])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_recovery_code_used_by_many_at_once_is_good_once() -> None:
    otto = cast.administrator("otto")
    _device, codes = with_app(otto)
    barrier, answers = threading.Barrier(6), []

    def use() -> None:
        barrier.wait()
        try:
            answers.append(second_factor.check(otto, codes[0]))
        except Exception as error:
            answers.append(type(error).__name__)
        connections.close_all()

    threads = [threading.Thread(target=use) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("recovery code") == 1
    assert set(answers) <= {"recovery code", "WrongFactor", "TooManyTries"}
    assert second_factor.recovery_codes_left(otto) == second_factor.CODES - 1


def test_the_last_administrator_is_helped_at_the_server(olga: Any) -> None:
    with_app(olga)
    call_command("remove_second_factor", "olga", reason="phone lost, she stands here")
    assert second_factor.of(olga) is None
    assert not StaticToken.objects.exists()
    assert AuditEntry.objects.latest("id").reason == "phone lost, she stands here"
    for name in ("olga", "nobody"):
        with pytest.raises(CommandError):
            call_command("remove_second_factor", name, reason="again")


# -- Asking again -----------------------------------------------------------------------------------------------------


def guarded_pages() -> list[str]:
    """Every page action and own page that reads or renews a secret."""
    center = cast.home()
    kettle = cast.kettle()
    row = cast.row(kettle, "A4C138000001")
    known = lookup.find_for_registration(kettle.key, at=cast.NOON)
    admission.admit(data_center=center, product=known, device_name=row.device_name, at=cast.NOON)
    device = Device.objects.at(center).get()
    broker = hooking.broker("emqx", center).row
    return [
        reverse("admin:products_product_reveal_secret", args=[kettle.pk]),
        reverse("admin:devices_preimporteddevice_reveal_secret", args=[row.pk]),
        reverse("admin:devices_device_reveal_secret", args=[f"cn-shanghai-{device.pk}"]),
        reverse("admin:products_broker_reveal_secret", args=[broker.pk]),
        reverse("admin:products_broker_renew_secret", args=[broker.pk]),
        "/account/authenticator/",
        "/account/authenticator/remove/",
        "/account/authenticator/codes/",
        "/password_change/",
    ]


def test_what_reads_or_renews_a_secret_asks_again_after_ten_minutes(client: Client, olga: Any) -> None:
    pages = guarded_pages()
    for page in pages:
        assert not client.post(page).get("Location", "").startswith("/account/confirm/"), page
    grow_old(client)
    for page in pages:
        assert client.post(page)["Location"].startswith("/account/confirm/?next="), page


def test_the_password_makes_it_fresh_again_and_leads_back(client: Client, olga: Any, clock: Clock) -> None:
    grow_old(client)
    asked = client.get("/account/authenticator/")["Location"]
    page = client.get(asked).content.decode()
    assert 'type="password"' in page and 'value="/account/authenticator/"' in page
    assert "not your password" in client.post(asked, {"code": "wrong"}).content.decode()
    assert client.get("/account/authenticator/").status_code == 302
    assert client.post(asked, {"code": cast.PASSWORD})["Location"] == "/account/authenticator/"
    assert client.get("/account/authenticator/").status_code == 200
    clock.wait(minutes=10)
    assert client.get("/account/authenticator/").status_code == 302


def test_with_an_app_it_asks_for_the_code_and_takes_no_password(client: Client, olga: Any, clock: Clock) -> None:
    device, codes = with_app(olga)
    grow_old(client)
    assert "authenticator app" in client.get("/account/confirm/").content.decode()
    assert client.post("/account/confirm/", {"code": cast.PASSWORD}).status_code == 200
    clock.wait(seconds=2)
    assert client.post("/account/confirm/", {"code": wrong(code_of(device, 1))}).status_code == 200
    clock.wait(seconds=2)
    assert client.post("/account/confirm/", {"code": code_of(device, 1)})["Location"] == "/account/"
    grow_old(client)
    assert client.post("/account/confirm/", {"code": codes[0]}).status_code == 302


@pytest.mark.parametrize("away", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_it_leads_to_no_other_site(client: Client, olga: Any, away: str) -> None:
    assert client.post("/account/confirm/", {"code": cast.PASSWORD, "next": away})["Location"] == "/account/"


def test_a_proof_of_the_future_counts_for_nothing(client: Client, olga: Any) -> None:
    session = client.session
    confirmation.note(session, timezone.now() + timedelta(minutes=1))
    session.save()
    assert client.get("/account/authenticator/").status_code == 302


def test_handing_out_activation_codes_asks_again(client: Client, olga: Any) -> None:
    batch = made()
    url = reverse("admin:devices_batch_codes", args=[batch.pk, "csv"])
    grow_old(client)
    assert client.post(url)["Location"].startswith("/account/confirm/?next=")
    assert not AuditEntry.objects.filter(action="batch.download").exists()
