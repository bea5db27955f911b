"""CA certificates in the console: list, upload, the way from proof to products, and what each role is offered."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.models import AuditEntry
from console.people import accounts, roles
from console.people.accounts import NewPerson, Rights
from console.shared import attention
from console.shared.actors import SYSTEM
from products.admin.authority_actions import AUTHORITY_ACTIONS
from products.models import CertificateAuthority, CertificatePolicy
from products.services import authorities, authority_states
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.products import ca_cast
from tests.products.ca_cast import Ca

pytestmark = pytest.mark.django_db
LIST, ADD = "admin:products_certificateauthority_changelist", "admin:products_certificateauthority_add"


@pytest.fixture(autouse=True)
def administrator(client: Client) -> Any:
    cast.home()
    user = cast.administrator()
    client.force_login(user)
    return user


@pytest.fixture
def ca() -> Ca:
    return ca_cast.make(at=timezone.now())


def role(name: str) -> Client:
    roles.make_missing(by=SYSTEM, at=NOON)
    person, _password = accounts.add(NewPerson(name.lower(), rights=Rights(role=name)), by=SYSTEM, at=NOON)
    client = Client()
    client.force_login(person)
    return client


def page_of(authority: CertificateAuthority) -> str:
    return reverse("admin:products_certificateauthority_change", args=[authority.pk])


def do(client: Client, authority: CertificateAuthority, action: str, **fields: object) -> str:
    """The page after the action."""
    answer = client.post(reverse(f"admin:products_certificateauthority_{action}", args=[authority.pk]), fields, follow=True)
    authority.refresh_from_db()
    return answer.content.decode()


def offered(client: Client, authority: CertificateAuthority) -> set[str]:
    """Of the actions on the CA certificate itself; those on its revocation list are others."""
    return {action.name for action in AUTHORITY_ACTIONS} & set(client.get(page_of(authority)).context["offers"])


def pem_file(text: str, name: str = "ca.pem") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def now_uploaded(ca: Ca, *products: Any) -> CertificateAuthority:
    return ca_cast.uploaded(ca, *products, at=timezone.now())


# -- List and upload ---------------------------------------------------------------------------------------------------------------------
def test_an_empty_list_says_what_to_do_first(client: Client) -> None:
    page = client.get(reverse(LIST)).content.decode()
    assert "No CA certificate yet" in page
    assert reverse(ADD) in page


def test_a_file_or_a_pasted_text_makes_a_pending_one(client: Client, ca: Ca) -> None:
    kettle, other = cast.kettle(), ca_cast.make("Other")
    answer = client.post(reverse(ADD), {"file": pem_file(ca.pem), "name": "Line 1", "products": [kettle.pk]})
    authority = CertificateAuthority.objects.get()
    assert answer["Location"] == page_of(authority)
    assert (authority.name, authority.state, list(authority.products.all())) == ("Line 1", "pending", [kettle])
    der = SimpleUploadedFile("ca.cer", ca_cast.make("As DER").der)
    client.post(reverse(ADD), {"file": der})
    client.post(reverse(ADD), {"pasted": other.pem})
    assert set(CertificateAuthority.objects.values_list("name", flat=True)) == {"Line 1", "As DER", "Other"}
    assert AuditEntry.objects.filter(action="certificate_authority.upload", actor_name="admin").count() == 3


def test_each_error_stands_at_its_field(client: Client, ca: Ca) -> None:
    now_uploaded(ca)
    big = SimpleUploadedFile("big.pem", b"x" * 1_000_001)
    for fields, where in (
        ({}, "__all__"),
        ({"file": pem_file(ca.pem), "pasted": ca.pem}, "__all__"),
        ({"file": big}, "file"),
        ({"pasted": "nonsense"}, "file"),
        ({"pasted": ca.pem}, "file"),
        ({"pasted": ca_cast.make("Another").pem, "name": "Works Root"}, "name"),
    ):
        answer = client.post(reverse(ADD), fields)
        assert list(answer.context["form"].errors) == [where], fields
    assert CertificateAuthority.objects.count() == 1


@pytest.mark.parametrize("where", ["add", "prove"])
def test_a_pasted_private_key_is_not_given_back(client: Client, ca: Ca, where: str) -> None:
    url = reverse(ADD)
    if where == "prove":
        url = reverse("admin:products_certificateauthority_prove", args=[now_uploaded(ca).pk])
    page = client.post(url, {"pasted": ca.key_pem}).content.decode()
    assert "holds a private key" in page
    assert ca.key_pem.splitlines()[1] not in page


def test_the_list_shows_state_products_and_days_left(client: Client) -> None:
    now = timezone.now()
    kettle = cast.kettle()
    ca_cast.active(ca_cast.make("Fresh", at=now, days=400), kettle, at=now)
    ca_cast.active(ca_cast.make("Near", at=now, days=21), at=now)
    with_past = ca_cast.active(ca_cast.make("Gone", at=now, days=1), at=now)
    CertificateAuthority.objects.filter(pk=with_past.pk).update(not_after=now - timedelta(days=1))
    page = client.get(reverse(LIST)).content.decode()
    for words in ("Fresh", "Active", "Kettle", "399 days", "20 days", "Expired", "ended"):
        assert words in page
    assert 'np-badge--red">20 days' in page
    found = client.get(reverse(LIST), {"q": with_past.sha256[:10]}).content.decode()
    assert "Gone" in found and "Fresh" not in found


# -- The page ----------------------------------------------------------------------------------------------------------------------------
def test_a_pending_one_shows_its_facts_its_code_and_the_lines(client: Client, ca: Ca) -> None:
    authority = now_uploaded(ca)
    page = client.get(page_of(authority)).content.decode().replace("<wbr>", "")
    facts = ("CN=Works Root", "EC secp256r1", authority.serial_number, "What was checked", "CA:TRUE")
    pairs = [":".join(digits[at : at + 2] for at in range(0, len(digits), 2)).upper() for digits in (authority.sha256, authority.sha1)]
    for words in (*facts, *pairs, authority.proof_code, f"/CN={authority.proof_code}", "openssl x509 -req"):
        assert words in page, words
    assert "None yet: certificates of this CA count for no device." in page


def test_it_goes_from_the_proof_to_its_devices(client: Client, ca: Ca) -> None:
    kettle, authority = cast.kettle(), now_uploaded(ca)
    page = do(client, authority, "prove", file=pem_file(ca.proof(authority.proof_code, at=timezone.now()), "proof.pem"))
    assert authority.state == "verified"
    assert "It is proven" in page
    assert "Activate this CA certificate?" in page
    page = do(client, authority, "activate")
    assert "Active, but for no product" in page
    page = do(client, authority, "serve", products=[kettle.pk])
    assert "Active, but for no product" not in page
    assert f"CN={AuditEntry.objects.get(action='certificate_authority.prove').after['verification certificate']['subject'][3:]}" in page
    assert "kept as evidence" in page
    do(client, authority, "edit", name="Line 1")
    assert authority.name == "Line 1"
    assert "Devices with certificates of this CA are refused" in do(client, authority, "deactivate", reason="")


def test_a_wrong_proof_says_why_in_the_dialog(client: Client, ca: Ca) -> None:
    authority = now_uploaded(ca)
    page = do(client, authority, "prove", pasted=ca.proof("another-code", at=timezone.now()))
    assert "is not the code" in page
    assert authority.state == "pending"


def test_an_old_code_asks_for_a_new_one(client: Client, ca: Ca) -> None:
    authority = now_uploaded(ca)
    CertificateAuthority.objects.update(proof_code_made_at=timezone.now() - timedelta(days=8))
    assert "older than seven days" in client.get(page_of(authority)).content.decode()
    before = authority.proof_code
    assert "openssl" in do(client, authority, "new_code")
    assert authority.proof_code != before


def test_without_proof_is_an_administrator_s_with_a_reason(client: Client, ca: Ca) -> None:
    authority = now_uploaded(ca)
    security = role("Security")
    url = reverse("admin:products_certificateauthority_accept_without_proof", args=[authority.pk])
    assert security.post(url, {"reason": "why not"}).status_code == 403
    assert url not in security.get(page_of(authority)).content.decode()
    assert "This field is required" in do(client, authority, "accept_without_proof", reason="")
    page = do(client, authority, "accept_without_proof", reason="Offline in the safe")
    assert authority.state == "verified"
    assert "Without proof" in page and "Offline in the safe" in page


def test_a_revoked_one_offers_nothing_but_its_name(client: Client, ca: Ca) -> None:
    authority = now_uploaded(ca)
    page = do(client, authority, "revoke", reason="The key was copied")
    assert "This CA is revoked" in page
    assert offered(client, authority) == {"edit"}


def test_an_ended_one_says_so_and_is_not_offered_to_be_activated(client: Client, ca: Ca) -> None:
    authority = ca_cast.verified(ca, at=timezone.now())
    CertificateAuthority.objects.update(not_after=timezone.now() - timedelta(days=1))
    answer = client.get(page_of(authority))
    assert "This CA certificate has ended" in answer.content.decode()
    assert "activate" not in answer.context["offers"]


def test_it_is_removed_while_nobody_used_it(client: Client, ca: Ca) -> None:
    authority = now_uploaded(ca)
    answer = client.post(reverse("admin:products_certificateauthority_remove", args=[authority.pk]), {"reason": ""})
    assert answer["Location"] == reverse(LIST)
    assert not CertificateAuthority.objects.exists()
    used = ca_cast.active(ca, at=timezone.now())
    authorities.note_use(used.pk, at=timezone.now())
    authority_states.deactivate(used.pk, by=OPERATOR, at=timezone.now())
    assert "remove" not in client.get(page_of(used)).context["offers"]


def test_who_only_sees_is_offered_nothing(ca: Ca) -> None:
    authority = now_uploaded(ca, cast.kettle())
    viewer = role("Viewer")
    answer = viewer.get(page_of(authority))
    assert answer.status_code == 200
    assert answer.context["offers"] == {}
    assert viewer.get(reverse(ADD)).status_code == 403
    assert offered(role("Security"), authority) == {"prove", "new_code", "serve", "edit", "revoke", "remove"}


# -- The product's page ------------------------------------------------------------------------------------------------------------------
def test_the_product_shows_its_ca_certificates_and_how_it_reads(client: Client, ca: Ca) -> None:
    kettle = cast.kettle()
    url = reverse("admin:products_product_change", args=[kettle.pk])
    assert "No CA certificate serves this product" in client.get(url).content.decode()
    authority = ca_cast.active(ca, kettle, at=timezone.now())
    page = client.get(url).content.decode()
    assert page_of(authority) in page
    assert "Common name (CN) of the subject" in page
    change = reverse("admin:products_product_certificate_policy", args=[kettle.pk])
    client.post(change, {"identity": "serial_number", "same_key": "on", "crl_max_age_hours": "48", "old_list_refuses": "on"})
    policy = CertificatePolicy.objects.get()
    assert (policy.identity, policy.same_key, policy.crl_max_age_hours, policy.old_list_refuses) == ("serial_number", True, 48, True)
    page = client.get(url).content.decode()
    assert "Serial number in the subject" in page and "48 hours" in page and "Refuses devices" in page
    assert role("Operator").post(change, {"identity": "common_name"}).status_code == 403


# -- What needs attention ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "severity", "words"),
    [
        (61, None, ""),
        (60, "warning", "Prepare the CA that follows it"),
        (30, "warning", "Move its devices now"),
        (7, "danger", "In a week at most"),
        (-1, "danger", "are refused. Upload"),
    ],
)
def test_an_end_is_told_60_30_and_7_days_before(administrator: Any, days: int, severity: str | None, words: str) -> None:
    now = timezone.now()
    authority = ca_cast.active(ca_cast.make("Near", at=now, days=90), cast.kettle(), at=now)
    CertificateAuthority.objects.update(not_after=now + timedelta(days=days))
    told = [alert for alert in attention.alerts(administrator, now) if "CA certificate" in str(alert.title)]
    assert [alert.severity for alert in told] == ([severity] if severity else [])
    assert all(words in str(alert.sentence) and alert.url == page_of(authority) for alert in told)


def test_what_lets_nobody_in_needs_no_attention(administrator: Any) -> None:
    now = timezone.now()
    ca_cast.active(ca_cast.make("Without a product", at=now, days=5), at=now)
    ca_cast.verified(ca_cast.make("Not active", at=now, days=5), cast.kettle(), at=now)
    assert not [alert for alert in attention.alerts(administrator, now) if "CA certificate" in str(alert.title)]


# -- The search of the whole console -----------------------------------------------------------------------------------------------------
def test_the_search_finds_it_by_name_and_by_fingerprint(client: Client, ca: Ca) -> None:
    authority = now_uploaded(ca)
    pairs = ":".join(authority.sha1[at : at + 2] for at in range(0, 12, 2)).upper()
    for text in ("works ro", authority.sha256[:12], pairs):
        assert page_of(authority) in client.get(reverse("admin:search"), {"s": text}).content.decode(), text
