"""What every operation shares: problems, pages, strict forms, and that the same request twice has one effect."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied as Denied
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.api import actions
from console.errors import Conflict, DomainError, Exhausted, Forbidden, Invalid, NotFound, Unavailable
from console.models import IdempotentAnswer
from console.rest import idempotency, problems
from products.models import CodeGrant, Product
from products.services import products as product_services
from tests import cast
from tests.api.callers import ROOT, Program, make_key

GRANT = {"quantity": 5, "note": "PO 4711"}


def is_problem(answer: Any, status: int, code: str) -> bool:
    body = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert body["type"] == f"urn:nameplate:problem:{body['code']}" and body["detail"] and body["title"]
    assert body["request_id"] == answer["X-Request-ID"]
    return (answer.status_code, body["status"], body["code"]) == (status, status, code)


# -- Problems --------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("family", "status"), [(Invalid, 422), (NotFound, 404), (Conflict, 409), (Exhausted, 409), (Forbidden, 403), (Unavailable, 503)]
)
def test_each_family_of_errors_has_one_status(family: type[DomainError], status: int) -> None:
    class Child(family):  # type: ignore[misc,valid-type]
        code = "named_after_the_fact"

    assert problems.status_of(Child()) == status


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("get", "/nowhere", None, 404, "not_found"),
        ("get", "/products/nothing", None, 404, "not_found"),
        ("get", "/products/nothing/", None, 404, "not_found"),
        ("get", "/pre-import/99999999999999999999", None, 404, "not_found"),
        ("delete", "/products", None, 405, "method_not_allowed"),
        ("post", "/products", {"name": 7}, 422, "invalid"),
        ("get", "/products?status=none", None, 422, "invalid"),
        ("get", "/products?statsu=published", None, 422, "invalid"),
        ("get", "/products?limit=201", None, 422, "invalid"),
        ("get", "/products?cursor=abc", None, 422, "invalid"),
    ],
)
def test_what_goes_wrong_is_a_problem(method: str, path: str, body: object, status: int, code: str) -> None:
    assert is_problem(Program().call(method, path, body), status, code)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [("get", "/api/v1", "not_found", 404), ("get", "/api/v1/", "not_found", 404), ("post", "/api/v1/nowhere", "not_found", 404)],
)
def test_an_unknown_address_is_a_problem(method: str, path: str, code: str, status: int) -> None:
    assert is_problem(Program().call(method, path), status, code)
    assert is_problem(getattr(Client(), method)(path), 401, "not_authenticated")


@pytest.mark.parametrize("host", ["bad host", "a_b c", "[::1"])
def test_a_malformed_host_is_a_problem_for_programs_and_a_page_for_people(host: str) -> None:
    client = Client(headers={"host": host})
    assert is_problem(client.get(f"{ROOT}/products"), 400, "bad_request")
    assert client.get("/login/")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(("error", "status", "code"), [(RuntimeError("inside"), 500, "internal"), (Denied(), 403, "permission_denied")])
def test_an_error_of_a_middleware_is_a_problem_and_shows_nothing(monkeypatch: Any, error: Exception, status: int, code: str) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("console.people.session_guard.SessionGuard.__call__", fail)
    client = Client(raise_request_exception=False)
    answer = client.get(f"{ROOT}/products")
    assert is_problem(answer, status, code) and b"inside" not in answer.content
    assert client.get("/login/")["Content-Type"].startswith("text/html")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/json", b"{", 400, "parse_error"),
        ("application/json", b"[" * 100_000, 400, "parse_error"),
        ("application/json", b'{"name": NaN}', 400, "parse_error"),
        ("application/json", b"\xff", 400, "parse_error"),
        ("application/json", b" " * 3_000_000, 413, "too_large"),
        ("text/plain", b"name=Kettle", 415, "unsupported_media_type"),
        ("application/json", b"[]", 422, "invalid"),
        ("application/json", b"null", 422, "invalid"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(kind: str, body: bytes, status: int, code: str) -> None:
    program = Program()
    answer = program.post(f"{ROOT}/products", body, content_type=kind, headers={"Authorization": f"Bearer {program.key}"})
    assert is_problem(answer, status, code)


@pytest.mark.django_db
def test_the_members_at_fault_are_named() -> None:
    body = {"product_key": "x", "rows": [{"device_name": "a"}, {"device_name": 3, "colour": "red"}]}
    answer = Program().call("post", "/pre-import/bulk", body)
    assert is_problem(answer, 422, "invalid")
    assert {error["field"] for error in answer.json()["errors"]} == {"rows.1.colour"}


@pytest.mark.django_db
def test_the_unexpected_shows_nothing_outside(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def break_down(*args: object, **kwargs: object) -> None:
        raise RuntimeError("password=hunter2")

    program = Program()
    monkeypatch.setattr(product_services, "create", break_down)
    answer = program.call(
        "post", "/products", {"name": "K", "wire_protocol": "native", "network_protocol": "mqtt", "device_name_kind": "mac"}
    )
    assert is_problem(answer, 500, "internal")
    assert b"hunter2" not in answer.content
    assert "hunter2" in caplog.text


# -- Pages -----------------------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_pages_join_without_a_gap_while_rows_come() -> None:
    lamp, program = cast.lamp(), Program()
    for number in range(5):
        cast.row(lamp, f"lamp-{number}")
    seen, path = [], "/pre-import?limit=2"
    while path:
        body = program.call("get", path).json()
        seen += [item["device_name"] for item in body["items"]]
        path = body["next"]
        cast.row(lamp, f"late-{len(seen)}")
    assert seen == [f"lamp-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.django_db
def test_a_page_costs_the_same_number_of_queries_whatever_it_holds(django_assert_num_queries: Any) -> None:
    lamp, program = cast.lamp(), Program()
    cast.row(lamp, "lamp-0")
    program.call("get", "/pre-import")
    with django_assert_num_queries(3):  # The key, its count, the rows; its owner is a superuser and sees everything.
        program.call("get", "/pre-import")
    for number in range(1, 9):
        cast.row(lamp, f"lamp-{number}")
    with django_assert_num_queries(3):
        assert len(program.call("get", "/pre-import").json()["items"]) == 9


# -- Idempotency -----------------------------------------------------------------------------------------------------------------------
@pytest.fixture
def kettle(db: None) -> Product:
    return cast.kettle()


def grant(program: Program, kettle: Product, key: str, body: object = GRANT) -> Any:
    return program.call("post", f"/products/{kettle.key}/code-grants", body, Idempotency_Key=key)


def test_the_same_request_twice_has_one_effect_and_one_answer(kettle: Product) -> None:
    program, before = Program(), CodeGrant.objects.count()
    first, second = grant(program, kettle, "order-1"), grant(program, kettle, "order-1")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second["Idempotent-Replay"] == "true"
    assert CodeGrant.objects.count() == before + 1


def test_a_refusal_is_the_same_again_too(kettle: Product) -> None:
    program = Program()
    first = program.call("post", f"/products/{kettle.key}/publish", Idempotency_Key="p")
    Product.objects.update(status="developing")
    second = program.call("post", f"/products/{kettle.key}/publish", Idempotency_Key="p")
    assert first.status_code == second.status_code == 409
    assert second["Content-Type"] == "application/problem+json" and first.json() == second.json()
    assert program.call("post", f"/products/{kettle.key}/publish", Idempotency_Key="q").status_code == 200


def test_a_key_is_good_for_one_request(kettle: Product) -> None:
    program = Program()
    grant(program, kettle, "order-1")
    assert is_problem(grant(program, kettle, "order-1", GRANT | {"quantity": 6}), 422, "idempotency_key_reused")


def test_another_caller_s_key_is_another_key(kettle: Product) -> None:
    before = CodeGrant.objects.count()
    grant(Program(), kettle, "order-1")
    grant(Program(), kettle, "order-1")
    assert CodeGrant.objects.count() == before + 2


def test_a_bad_key_is_refused(kettle: Product) -> None:
    assert is_problem(grant(Program(), kettle, "x" * 129), 422, "bad_idempotency_key")


def test_a_failure_leaves_the_key_free_and_no_effect(kettle: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    from products.api import products as door

    program, before = Program(), CodeGrant.objects.count()
    real = door.supply.grant_codes

    def fail_late(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        raise RuntimeError

    monkeypatch.setattr(door.supply, "grant_codes", fail_late)
    assert grant(program, kettle, "order-1").status_code == 500
    assert CodeGrant.objects.count() == before
    monkeypatch.setattr(door.supply, "grant_codes", real)
    assert grant(program, kettle, "order-1").status_code == 201


def test_a_wrong_verification_code_is_counted_though_the_request_is_refused(kettle: Product) -> None:
    from console.models import VerificationCode

    program = Program()
    path = f"/products/{kettle.key}/dynamic-registration"
    program.call("post", f"{path}/turn-off")
    program.call("post", f"{path}/code")
    refused = program.call("post", f"{path}/turn-on", {"code": "wrong"}, Idempotency_Key="a")
    assert is_problem(refused, 403, "wrong_code")
    assert VerificationCode.objects.get().failures == 1


def test_what_is_kept_is_sealed_and_goes_after_a_day(kettle: Product) -> None:
    grant(Program(), kettle, "order-1")
    row = IdempotentAnswer.objects.get()
    assert b"4711" not in bytes(row.sealed_answer)
    now = timezone.now()
    assert idempotency.forget_old(at=now + timedelta(hours=23)) == 0
    assert idempotency.forget_old(at=now + timedelta(hours=25)) == 1


def test_a_request_in_flight_is_told_and_a_dead_one_taken_over(kettle: Product) -> None:
    program = Program()
    grant(program, kettle, "order-1")
    IdempotentAnswer.objects.update(status=None)
    assert is_problem(grant(program, kettle, "order-1"), 409, "idempotency_key_in_flight")
    IdempotentAnswer.objects.update(claimed_at=timezone.now() - idempotency.DEAD - timedelta(seconds=1))
    assert grant(program, kettle, "order-1").status_code == 201
    assert IdempotentAnswer.objects.get().attempt == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_has_an_effect() -> None:
    kettle = cast.kettle()
    before, text = CodeGrant.objects.count(), make_key()[0]

    def ask(_number: int) -> tuple[int, str]:
        try:
            answer = grant(Program(key=text), kettle, "order-1")
            return answer.status_code, answer.json().get("code", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert CodeGrant.objects.count() == before + 1
    assert set(answers) <= {(201, ""), (409, "idempotency_key_in_flight")}
    assert (201, "") in answers


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_are_taken_than_the_rate_allows() -> None:
    def ask(text: str) -> int:
        try:
            return int(Program(key=text).call("get", "/products").status_code)
        finally:
            connection.close()

    began = -1
    while timezone.now().minute != began:  # Once more, with another key, where the clock's minute ended meanwhile.
        began = timezone.now().minute
        text = make_key("products.view_product", requests_per_minute=5)[0]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, [text] * 20))
    assert sorted(answers) == [200] * 5 + [429] * 15


# -- Declarations ----------------------------------------------------------------------------------------------------------------------
def test_every_operation_declares_its_permission_or_is_open_on_purpose() -> None:
    declared = list(actions.operations())
    assert len(declared) > 70
    assert [plan.name for plan in declared if plan.is_open] == ["redeem_download_code"]
    assert len({plan.name for plan in declared}) == len(declared)


@pytest.mark.django_db
def test_a_key_without_the_action_is_refused_everywhere() -> None:
    """Before it is said whether there is such a row."""
    program, wrong = Program("auth.view_group"), []
    for address, view in actions.addresses():
        path = f"/{address.removeprefix('api/v1/')}"
        for kind, value in (("number:number", "1"), ("word:key", "x"), ("word:code", "x"), ("word:form", "csv"), ("word:kind", "batch")):
            path = path.replace(f"<{kind}>", value)
        for verb in ("get", "post", "patch", "delete"):
            plan = getattr(getattr(view, verb, None), "operation", None)
            if plan is not None and not plan.is_open and program.call(verb, path, {} if verb != "get" else None).status_code != 403:
                wrong.append((verb, path))
    assert not wrong
