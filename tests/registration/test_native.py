"""Our own scheme: the clock, the nonce, the problems."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registration.protocols.base import Malformed, OutsideWindow, Request
from registration.protocols.native import Native, NativeClaim
from tests.registration.test_protocols import CREDENTIALS, refusal

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def claim(at: datetime) -> NativeClaim:
    return Native().parse(Native().compose(CREDENTIALS, host="h", at=at, nonce=7))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_it_accepts_a_clock_within_five_minutes_and_keeps_the_nonce_as_long_as_it_could_return(seconds: int) -> None:
    verified = claim(NOW + timedelta(seconds=seconds)).verify(CREDENTIALS.product_secret, NOW)
    assert verified.nonce == "0000000007"
    assert verified.nonce_until == NOW + timedelta(seconds=seconds + 301)


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
def test_it_refuses_a_clock_outside_five_minutes_whoever_signed(seconds: int) -> None:
    with pytest.raises(OutsideWindow) as caught:
        claim(NOW + timedelta(seconds=seconds)).verify("not the secret", NOW)
    problem = json.loads(Native().refuse(caught.value, "r").body)
    assert (problem["status"], problem["serverTime"]) == (401, int(NOW.timestamp()))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("nonce", "short"),
        ("nonce", "with blank"),
        ("nonce", "x" * 65),
        ("signature", "00"),
        ("signature", "z" * 64),
        ("timestamp", "now"),
        ("more", 1),
    ],
)
def test_it_refuses_a_member_of_another_form(member: str, value: object) -> None:
    members = json.loads(Native().compose(CREDENTIALS, host="h", at=NOW, nonce=7).body)
    with pytest.raises(Malformed):
        Native().parse(Request("POST", "/api/v1/register", "h", {}, json.dumps(members | {member: value}).encode()))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("malformed", 400), ("bad_signature", 401), ("product_unknown", 401), ("product_not_published", 401), ("outside_window", 401),
        ("dynamic_registration_off", 403), ("per_product_secret_off", 403), ("wrong_authentication", 403), ("device_disabled", 403),
        ("not_imported", 404), ("already_activated", 409), ("already_registered", 409), ("auto_create_limit", 409), ("nonce_used", 409),
        ("bad_device_name", 422), ("unavailable", 503), ("internal", 500),
    ],
)  # fmt: skip
def test_it_answers_with_a_problem_document_and_its_status(code: str, status: int) -> None:
    reply = Native().refuse(refusal(code), "r")
    problem = json.loads(reply.body)
    assert (reply.status, reply.content_type) == (status, "application/problem+json")
    assert problem["status"] == status and problem["type"].startswith("urn:nameplate:problem:") and problem["requestId"] == "r"


def test_it_names_the_field_of_a_malformed_request() -> None:
    error = Malformed("Words for the operator.", field="nonce")
    assert json.loads(Native().refuse(error, "r").body)["field"] == "nonce"


def test_a_signature_is_good_in_either_letter_case() -> None:
    lower = claim(NOW)
    replace(lower, signature=lower.signature.upper()).verify(CREDENTIALS.product_secret, NOW)
