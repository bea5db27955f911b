"""Who calls: API keys, what they may do, how often; and the console's session."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry
from console.rest import keys
from tests import cast
from tests.api.callers import ROOT, Program, make_key, owner

pytestmark = pytest.mark.django_db
VIEW = "products.view_product"


def status(program: Program, path: str = "/products") -> int:
    return int(program.call("get", path).status_code)


def test_a_key_opens_what_it_was_made_for_and_nothing_else() -> None:
    program = Program(VIEW)
    assert status(program) == 200
    refused = program.call("get", "/audit")
    assert refused.status_code == 403 and refused.json()["code"] == "permission_denied"


@pytest.mark.parametrize(
    "facts",
    [
        {"expires_at": timezone.now() - timedelta(minutes=1)},
        {"revoked_at": timezone.now() - timedelta(minutes=1)},
    ],
)
def test_a_key_that_is_over_is_refused(facts: dict[str, object]) -> None:
    answer = Program(VIEW, **facts).call("get", "/products")
    assert answer.status_code == 401 and answer.json()["code"] == "bad_key"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer npk_" + "A" * 40, "Bearer", "Basic eA==", "Bearer \xff", "Bearer npk_", "npk_x"])
def test_a_wrong_key_is_refused_even_with_a_session(client: Client, header: str) -> None:
    client.force_login(owner())
    assert client.get(f"{ROOT}/products", headers={"Authorization": header}).status_code == 401


def test_nobody_is_refused(client: Client) -> None:
    assert client.get(f"{ROOT}/products").status_code == 401


def test_a_key_ends_with_its_owner() -> None:
    program = Program(VIEW)
    assert status(program) == 200
    get_user_model().objects.update(is_active=False)
    assert status(program) == 401


def test_a_key_loses_what_its_owner_loses() -> None:
    person = get_user_model().objects.create_user("omar")
    permissions = Permission.objects.filter(codename__in=["view_product", "see_every_product"])
    person.user_permissions.set(permissions)
    program = Program(VIEW, of=person)
    assert status(program) == 200
    person.user_permissions.remove(*permissions)
    assert status(program) == 403


def test_products_that_a_key_was_not_made_for_do_not_exist() -> None:
    kettle, lamp = cast.kettle(), cast.lamp()
    program = Program(products=[kettle])
    assert [item["key"] for item in program.call("get", "/products").json()["items"]] == [kettle.key]
    assert status(program, f"/products/{lamp.key}") == 404
    row = cast.row(lamp, "lamp-1")
    assert status(program, f"/pre-import/{row.pk}") == 404
    assert program.call("get", "/pre-import").json()["items"] == []
    added = program.call("post", "/pre-import", {"product_key": lamp.key, "device_name": "lamp-2"})
    assert added.status_code == 422 and added.json()["field"] == "product_key"
    assert status(program, "/data-centers") == 403


def test_use_is_written_at_most_once_a_minute() -> None:
    text, row = make_key(VIEW)
    noon = timezone.now().replace(second=10)
    principal = keys.find(text, at=noon)
    keys.count(principal.api_key, address="192.0.2.1", at=noon)
    keys.count(keys.find(text, at=noon).api_key, address="192.0.2.2", at=noon + timedelta(seconds=20))
    row.refresh_from_db()
    assert (row.last_used_at, row.last_used_address, row.requests_in_minute) == (noon, "192.0.2.1", 2)
    keys.count(keys.find(text, at=noon).api_key, address="192.0.2.2", at=noon + timedelta(minutes=1))
    row.refresh_from_db()
    assert row.last_used_address == "192.0.2.2" and row.requests_in_minute == 1


def test_a_key_makes_as_many_requests_a_minute_as_it_was_given() -> None:
    began = -1
    while timezone.now().minute != began:  # Once more, with another key, where the clock's minute ended meanwhile.
        began = timezone.now().minute
        program = Program(VIEW, requests_per_minute=2)
        answers = [program.call("get", "/products") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert [answers[index]["RateLimit-Remaining"] for index in (0, 1)] == ["1", "0"]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert answers[2]["Content-Type"] == "application/problem+json" and answers[2].json()["code"] == "too_many_requests"


def test_the_audit_names_the_person_and_the_key() -> None:
    program = Program()
    kettle = cast.kettle()
    program.call("post", f"/products/{kettle.key}/withdraw", {"reason": "Recall"})
    line = AuditEntry.objects.filter(action="product.withdraw").get()
    assert line.actor == owner() and line.actor_name == "paula (Line 3)"
    assert line.reason == "Recall" and line.address == "127.0.0.1"


def test_the_console_s_session_works_with_the_csrf_token_alone() -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(owner())
    assert browser.get(f"{ROOT}/products").status_code == 200
    kettle = cast.kettle()
    refused = browser.post(f"{ROOT}/products/{kettle.key}/withdraw", {}, content_type="application/json")
    assert refused.status_code == 403 and refused["Content-Type"] == "application/problem+json"
    browser.get("/api/docs/?script=")  # The page of the API carries the token in its script.
    token = browser.cookies["csrftoken"].value
    accepted = browser.post(f"{ROOT}/products/{kettle.key}/withdraw", {}, content_type="application/json", headers={"X-CSRFToken": token})
    assert accepted.status_code == 200


def test_a_session_without_the_console_is_nobody(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("guest"))
    assert client.get(f"{ROOT}/products").status_code == 401


def test_a_secret_asks_a_session_for_a_fresh_proof(client: Client) -> None:
    kettle = cast.kettle()
    client.force_login(owner())
    path = f"{ROOT}/products/{kettle.key}/secret"
    assert client.post(path, content_type="application/json").json()["product_secret"] == "h1nQFYPZS0mW1234"
    session = client.session
    session["confirmed_at"] = (timezone.now() - timedelta(minutes=11)).timestamp()
    session.save()
    refused = client.post(path, content_type="application/json")
    assert refused.status_code == 403 and refused.json()["code"] == "not_confirmed"
    assert AuditEntry.objects.filter(action="product.reveal_secret").count() == 1
