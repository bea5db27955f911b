"""One-time codes: good once, for one purpose, for five minutes and three tries; sent through the channel of the settings."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from console import verification
from console.models import VerificationCode
from console.verification import NoChannel, VoidCode, WrongCode
from tests import cast

pytestmark = pytest.mark.django_db
PURPOSE = "dynamic-registration-1"


class Gateway:
    """An SMS gateway that keeps what it was given."""

    sent: list[tuple[str, str]] = []

    def send(self, *, number: str, text: str) -> None:
        self.sent.append((number, text))


class DeadGateway:
    def send(self, *, number: str, text: str) -> None:
        raise OSError("no route to host")


@pytest.fixture
def olga() -> Any:
    return cast.administrator("olga")


def requested(user: Any) -> str:
    """The code that was made, as the person reads it."""
    verification.request_code(user=user, purpose=PURPOSE)
    return VerificationCode.objects.get(user=user, purpose=PURPOSE).token


def redeem(code: str, user: Any, **later: int) -> None:
    verification.redeem(code, user=user, purpose=PURPOSE, at=timezone.now() + timedelta(**later))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_is_good_once(olga: Any) -> None:
    code = requested(olga)
    redeem(f" {code} ", olga)
    with pytest.raises(VoidCode):
        redeem(code, olga)


def test_a_code_that_nobody_asked_for_is_void(olga: Any) -> None:
    with pytest.raises(VoidCode):
        redeem("000000", olga)


def test_three_wrong_tries_void_it_and_say_how_many_are_left(olga: Any) -> None:
    code = requested(olga)
    with pytest.raises(WrongCode, match="Tries left: 2"):
        redeem(wrong(code), olga)
    with pytest.raises(WrongCode, match="Tries left: 1"):
        redeem(wrong(code), olga)
    with pytest.raises(VoidCode):
        redeem(wrong(code), olga)
    with pytest.raises(VoidCode):
        redeem(code, olga)


def test_after_five_minutes_it_is_void(olga: Any) -> None:
    code = requested(olga)
    with pytest.raises(VoidCode):
        redeem(code, olga, minutes=5, seconds=1)
    with pytest.raises(VoidCode):
        redeem(code, olga)


def test_a_new_code_voids_the_one_before(olga: Any) -> None:
    first = requested(olga)
    second = requested(olga)
    if first != second:
        with pytest.raises(WrongCode):
            redeem(first, olga)
    redeem(second, olga)


def test_a_code_is_for_one_person_and_one_purpose(olga: Any) -> None:
    code = requested(olga)
    with pytest.raises(VoidCode):
        redeem(code, cast.administrator("oskar"))
    with pytest.raises(VoidCode):
        verification.redeem(code, user=olga, purpose="dynamic-registration-2", at=timezone.now())
    redeem(code, olga)


def test_by_default_it_stands_in_the_servers_log(olga: Any, caplog: pytest.LogCaptureFixture) -> None:
    code = requested(olga)
    assert f"Verification code for olga ({PURPOSE}): {code}" in caplog.text


def test_it_goes_by_mail(olga: Any, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "mail"
    where = verification.request_code(user=olga, purpose=PURPOSE)
    assert where == "The code was sent by mail to o…@example.com."
    assert mail.outbox[0].to == ["olga@example.com"]
    redeem(mail.outbox[0].body.split()[0], olga)


def test_it_refuses_mail_to_a_person_without_an_address(olga: Any, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "mail"
    olga.email = ""
    with pytest.raises(NoChannel, match="no mail address"):
        verification.request_code(user=olga, purpose=PURPOSE)
    assert not VerificationCode.objects.exists()


def test_it_goes_through_the_sms_gateway_that_the_settings_name(olga: Any, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "sms"
    settings.NAMEPLATE_SMS_GATEWAY = f"{__name__}.Gateway"
    settings.NAMEPLATE_SMS_NUMBERS = {"olga": "+4915112345678"}
    Gateway.sent.clear()
    assert verification.request_code(user=olga, purpose=PURPOSE).endswith("…5678.")
    [(number, text)] = Gateway.sent
    assert number == "+4915112345678"
    redeem(text.split()[0], olga)


def test_it_refuses_sms_without_a_number_and_says_when_the_gateway_is_dead(olga: Any, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "sms"
    with pytest.raises(NoChannel, match="no phone number"):
        verification.request_code(user=olga, purpose=PURPOSE)
    settings.NAMEPLATE_SMS_NUMBERS = {"olga": "+4915112345678"}
    settings.NAMEPLATE_SMS_GATEWAY = f"{__name__}.DeadGateway"
    with pytest.raises(NoChannel, match="could not be sent"):
        verification.request_code(user=olga, purpose=PURPOSE)


def test_a_gateway_that_cannot_be_loaded_is_said_and_not_crashed_on(olga: Any, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "sms"
    settings.NAMEPLATE_SMS_NUMBERS = {"olga": "+4915112345"}
    settings.NAMEPLATE_SMS_GATEWAY = "nowhere.Gateway"
    with pytest.raises(NoChannel, match="NAMEPLATE_SMS_GATEWAY"):
        verification.request_code(user=olga, purpose=PURPOSE)


def test_the_authenticator_app_makes_the_code_itself(olga: Any, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "totp"
    device = TOTPDevice.objects.create(user=olga, confirmed=True)
    assert "authenticator app" in verification.request_code(user=olga, purpose=PURPOSE)
    sent = VerificationCode.objects.get(user=olga, purpose=PURPOSE).token
    code = f"{TOTP(device.bin_key).token():06d}"
    if sent != code:
        with pytest.raises(WrongCode):
            redeem(sent, olga)
        device.refresh_from_db()
        TOTPDevice.objects.filter(pk=device.pk).update(throttling_failure_count=0, throttling_failure_timestamp=None)
    redeem(code, olga)
    with pytest.raises(VoidCode):
        redeem(code, olga)


def test_it_refuses_the_app_of_a_person_who_has_none(olga: Any, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "totp"
    TOTPDevice.objects.create(user=olga, confirmed=False)
    with pytest.raises(NoChannel, match="no authenticator app"):
        verification.request_code(user=olga, purpose=PURPOSE)
