"""CA certificates by program: the whole way, once for each key, and nothing for who works with chosen products."""

from typing import Any

import pytest
from django.utils import timezone

from console.models import AuditEntry, IdempotentAnswer
from products.models import CertificateAuthority
from tests import cast
from tests.api.callers import Program
from tests.products import ca_cast
from tests.products.ca_cast import Ca

pytestmark = pytest.mark.django_db
PATH = "/certificate-authorities"
SECURITY = ("products.view_certificateauthority", "products.add_certificateauthority", "products.change_certificateauthority")


@pytest.fixture
def ca() -> Ca:
    return ca_cast.make(at=timezone.now())


@pytest.fixture
def program() -> Program:
    return Program()


def uploaded(program: Program, ca: Ca, **facts: Any) -> dict[str, Any]:
    answer = program.call("post", PATH, {"certificate": ca.pem, **facts})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_from_the_upload_to_an_active_one(program: Program, ca: Ca) -> None:
    kettle = cast.kettle()
    made = uploaded(program, ca, name="Line 1", products=[kettle.key])
    assert (made["state"], made["products"], made["name"], made["expired"]) == ("pending", [kettle.key], "Line 1", False)
    assert made["certificate"] == ca.pem
    own = f"{PATH}/{made['id']}"
    renewed = program.call("post", f"{own}/proof-code").json()
    assert renewed["proof_code"] != made["proof_code"]
    proof = {"verification": ca.proof(renewed["proof_code"], at=timezone.now())}
    verified = program.call("post", f"{own}/proof", proof).json()
    assert (verified["state"], verified["proof_code"], verified["verified_by"]) == ("verified", None, "paula")
    assert program.call("post", f"{own}/activate").json()["state"] == "active"
    assert program.call("put", f"{own}/products", {"products": []}).json()["products"] == []
    assert program.call("patch", own, {"name": "Line 2"}).json()["name"] == "Line 2"
    assert program.call("delete", own).json()["code"] == "ca_certificate_in_use"
    assert program.call("post", f"{own}/deactivate", {"reason": "moved"}).json()["state"] == "inactive"
    assert program.call("post", f"{own}/revoke", {"reason": "copied"}).json()["revoked_at"]
    listed = program.call("get", f"{PATH}?state=revoked&sha256={made['sha256']}").json()
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    assert program.call("get", f"{PATH}?state=active").json()["items"] == []


def test_one_that_nobody_used_is_removed(program: Program, ca: Ca) -> None:
    made = uploaded(program, ca)
    assert program.call("delete", f"{PATH}/{made['id']}").status_code == 204
    assert program.call("get", f"{PATH}/{made['id']}").status_code == 404


def test_the_same_key_uploads_once(program: Program, ca: Ca) -> None:
    first, again = (program.call("post", PATH, {"certificate": ca.pem}, Idempotency_Key="upload-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert CertificateAuthority.objects.count() == 1
    refused = program.call("post", PATH, {"certificate": ca.pem}, Idempotency_Key="upload-2")
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (409, "ca_certificate_there", "certificate")


def test_a_private_key_is_refused_and_nowhere_afterwards(program: Program, ca: Ca, caplog: pytest.LogCaptureFixture) -> None:
    body = {"certificate": ca.pem + ca.key_pem}
    refused = program.call("post", PATH, body, Idempotency_Key="with-key")
    assert (refused.status_code, refused.json()["code"]) == (422, "private_key_found")
    secret = ca.key_pem.splitlines()[1]
    stored = [str(list(model.objects.values())) for model in (CertificateAuthority, AuditEntry, IdempotentAnswer)]
    assert secret not in "".join([refused.content.decode(), caplog.text, *stored])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "certificate"),
        ({"certificate": "nonsense"}, "certificate"),
        ({"certificate": 7}, "certificate"),
        ({"products": ["nobody"]}, "products"),
        ({"key": "x"}, "key"),
    ],
)
def test_each_error_names_its_member(program: Program, ca: Ca, body: dict[str, Any], field: str) -> None:
    answer = program.call("post", PATH, body if "certificate" in body or not body else {"certificate": ca.pem, **body})
    problem = answer.json()
    named = {problem.get("field")} | {error["field"] for error in problem.get("errors", [])}
    assert (answer.status_code, field in named) == (422, True), problem
    assert not CertificateAuthority.objects.exists()


def test_without_proof_takes_an_action_of_its_own_and_a_reason(ca: Ca) -> None:
    made = uploaded(Program(*SECURITY), ca)
    path = f"{PATH}/{made['id']}/accept-without-proof"
    assert Program(*SECURITY).call("post", path, {"reason": "because"}).status_code == 403
    administrator = Program(*SECURITY, "products.accept_without_proof")
    assert administrator.call("post", path, {}).status_code == 422
    accepted = administrator.call("post", path, {"reason": "Offline in the safe"}).json()
    assert (accepted["state"], accepted["without_proof"], accepted["without_proof_reason"]) == ("verified", True, "Offline in the safe")


def test_it_is_not_for_who_works_with_chosen_products(ca: Ca) -> None:
    kettle = cast.kettle()
    made = uploaded(Program(), ca, products=[kettle.key])
    limited = Program(products=[kettle])
    for method, path in (("get", PATH), ("get", f"{PATH}/{made['id']}"), ("post", f"{PATH}/{made['id']}/activate")):
        assert limited.call(method, path).status_code == 403


def test_a_product_says_how_it_reads_certificates(program: Program) -> None:
    kettle = cast.kettle()
    path = f"/products/{kettle.key}/certificate-policy"
    before = {"identity": "common_name", "same_key": False, "crl_max_age_hours": None, "old_list_refuses": False}
    assert program.call("get", path).json() == before
    change = {"identity": "alternative_name", "crl_max_age_hours": 24, "old_list_refuses": True}
    changed = program.call("patch", path, change)
    assert changed.json() == before | change
    assert program.call("patch", path, {"identity": "shoe size"}).status_code == 422
    assert program.call("get", f"/products/{cast.lamp().key}/certificate-policy").json()["identity"] == "common_name"
