"""Issuing and revocation in the console and through the API: what the pages show, do and never show."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.crypto.certificates import revocation_lists, signing_keys
from console.shared import attention
from products.models import CertificateAuthority, IssuedCertificate, IssuingCA, Product, RevocationList, RevokedSerial
from products.services import authority_upkeep, certificate_policies, issued_upkeep, issuing_profiles
from tests import cast
from tests.products import ca_cast, issuing_cast
from tests.products.issuing_cast import DEVICE, an_issuer, pem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def administrator(client: Client) -> Any:
    issuing_profiles.forget()
    cast.home()
    user = cast.administrator()
    client.force_login(user)
    return user


@pytest.fixture
def meter() -> Product:
    return cast.meter()


def do(client: Client, model: str, action: str, row: Any, **fields: object) -> str:
    answer = client.post(reverse(f"admin:products_{model}_{action}", args=[row.pk]), fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def page(client: Client, model: str, row: Any) -> str:
    return client.get(reverse(f"admin:products_{model}_change", args=[row.pk])).content.decode()


def test_a_ca_is_made_changed_and_retired_on_the_products_page(client: Client, meter: Product) -> None:
    assert "Make a CA" in page(client, "product", meter)
    text = do(client, "product", "make_issuing_ca", meter, name="Meter devices", kind="ec-p256")
    assert "Meter devices" in text and "The issuing CA was made" in text and "Make a CA" not in text
    facts = {
        "answers_registration": "on",
        "certificate_days": 700,
        "device_key_kind": "rsa-2048",
        "organization": "Acme",
        "unit": "",
        "list_url": "",
    }
    assert "700 days" in do(client, "product", "issuing_profile", meter, **facts)
    row = IssuingCA.objects.get()
    assert row.answers_registration and row.organization == "Acme"
    assert f"/crl/{row.authority_id}.crl" in page(client, "product", meter)
    assert "Make a CA" in do(client, "product", "retire_issuing_ca", meter, reason="")
    assert "Issuing CA retired" in page(client, "product", meter)


def test_a_ca_is_taken_up_and_its_key_comes_back_in_no_page(client: Client, meter: Product) -> None:
    given, other = an_issuer("Old CA"), an_issuer("Other")
    key = signing_keys.pem_of(other.key)
    text = do(client, "product", "take_up_issuing_ca", meter, certificate=pem(given.certificate), key=key)
    assert "The private key is not that of the certificate." in text
    assert key.splitlines()[1] not in text
    text = do(client, "product", "take_up_issuing_ca", meter, certificate=pem(given.certificate), key=key, password="pass-word-1")
    assert "The private key has no password" in text and "pass-word-1" not in text
    text = do(client, "product", "take_up_issuing_ca", meter, certificate=pem(given.certificate), key=signing_keys.pem_of(given.key))
    assert "Old CA" in text and "BEGIN PRIVATE KEY" not in text


def test_an_outside_ca_is_used_and_its_secret_is_never_shown(client: Client, meter: Product) -> None:
    authority = ca_cast.active(ca_cast.make(at=timezone.now()), at=timezone.now())
    fields = {"authority": authority.pk, "url": "https://ca.example/sign", "header": "X-Key", "secret": "hush-hush", "trust": ""}
    text = do(client, "product", "use_outside_ca", meter, **fields)
    assert "https://ca.example/sign" in text and "hush-hush" not in text
    text = do(client, "product", "issuing_endpoint", meter, url="https://ca.example/v2", header="X-Key", secret="", trust="")
    assert "https://ca.example/v2" in text and "hush-hush" not in page(client, "product", meter)


def test_a_certificate_is_found_and_revoked(client: Client, meter: Product) -> None:
    row = issuing_cast.stored(meter)
    listing = reverse("admin:products_issuedcertificate_changelist")
    colons = ":".join(row.serial[at : at + 2] for at in range(0, len(row.serial), 2))
    for term in (DEVICE, row.serial, colons.lower(), row.sha256):
        assert row.serial in client.get(listing, {"q": term}).content.decode()
    assert row.serial not in client.get(listing, {"q": "A4C138"}).content.decode()
    assert row.serial not in client.get(listing, {"state": "revoked"}).content.decode()
    text = do(client, "issuedcertificate", "revoke", row, reason="key_compromise", note="lost")
    assert "Its key is known to others" in text and "Issued certificate revoked" in text
    assert row.serial in client.get(listing, {"state": "revoked"}).content.decode()


def test_all_certificates_of_a_device_are_revoked_from_one_of_them(client: Client, meter: Product) -> None:
    row = issuing_cast.stored(meter)
    assert f"1 certificates of {DEVICE} were revoked." in do(
        client, "issuedcertificate", "revoke_device", row, reason="unspecified", note=""
    )


def test_a_list_is_uploaded_and_a_number_revoked_on_the_page_of_the_ca(client: Client) -> None:
    issuer = an_issuer("Works CA")
    now = timezone.now()
    authority = authority_upkeep.upload(authority_upkeep.NewAuthority(pem(issuer.certificate).encode()), by=cast.OPERATOR, at=now)
    assert "No revocation list" in page(client, "certificateauthority", authority)
    crl = revocation_lists.make(issuer, [revocation_lists.Entry(5, now)], number=4, at=now, lasts=timedelta(days=7))
    text = do(client, "certificateauthority", "upload_list", authority, file=SimpleUploadedFile("ca.crl", crl))
    assert "The revocation list was taken." in text and RevokedSerial.objects.get().serial == "05"
    assert "not a certificate revocation list" in do(
        client, "certificateauthority", "upload_list", authority, file=SimpleUploadedFile("ca.crl", b"rubbish")
    )
    assert "0A1B" in do(client, "certificateauthority", "revoke_serial", authority, serial="0a:1b", reason="unspecified", note="")
    text = do(client, "certificateauthority", "list_source", authority, url="http://127.0.0.1:9/x.crl", interval_minutes=30)
    assert "http://127.0.0.1:9/x.crl" in text and "Fetch now" in text
    RevocationList.objects.update(error="127.0.0.1:9 did not answer in time.", taken_at=now - timedelta(days=1))
    assert "127.0.0.1:9 did not answer in time." in page(client, "certificateauthority", authority)
    assert "No revocation list" in do(client, "certificateauthority", "remove_list", authority, reason="")


def test_a_list_that_is_too_old_or_not_fetched_needs_attention(administrator: Any) -> None:
    now = timezone.now()
    authority = ca_cast.uploaded(ca_cast.make(at=now), at=now)
    row = RevocationList.objects.create(
        authority=authority, this_update=now - timedelta(days=9), next_update=now - timedelta(days=2), taken_at=now
    )
    titles = [str(alert.title) for alert in attention.alerts(administrator, now)]
    assert f"The revocation list of {authority.name} is too old" in titles
    RevocationList.objects.filter(pk=row.pk).update(
        next_update=now + timedelta(days=2), error="No answer.", taken_at=now - timedelta(days=1)
    )
    titles = [str(alert.title) for alert in attention.alerts(administrator, now)]
    assert f"The revocation list of {authority.name} cannot be fetched" in titles


@pytest.mark.parametrize("refuses", [True, False])
def test_a_list_that_is_too_old_for_a_product_needs_attention_and_says_what_follows(administrator: Any, refuses: bool) -> None:
    now, meter, lamp = timezone.now(), cast.meter(), cast.lamp()
    authority = ca_cast.uploaded(ca_cast.make(at=now), meter, lamp, at=now)
    RevocationList.objects.create(
        authority=authority, this_update=now - timedelta(hours=30), next_update=now + timedelta(days=9), taken_at=now
    )

    def told() -> list[str]:
        return [f"{one.severity}: {one.title}. {one.sentence}" for one in attention.alerts(administrator, now) if "list" in str(one.title)]

    certificate_policies.change(lamp.pk, {"crl_max_age_hours": 48}, by=cast.OPERATOR, at=now)
    assert not told()
    certificate_policies.change(meter.pk, {"crl_max_age_hours": 24, "old_list_refuses": refuses}, by=cast.OPERATOR, at=now)
    (one,) = told()
    assert one.startswith(f"danger: The revocation list of {authority.name} is too old.")
    assert ("are refused" in one) is refuses


def test_certificates_that_ended_long_ago_are_forgotten(meter: Product) -> None:
    row = issuing_cast.stored(meter)
    assert issued_upkeep.purge(at=row.not_after + timedelta(days=89)) == 0
    assert issued_upkeep.purge(at=row.not_after + timedelta(days=91)) == 1
    assert not IssuedCertificate.objects.exists()


# -- API ---------------------------------------------------------------------------------------------------------------------------------
def call(client: Client, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
    more = {"data": body or {}, "content_type": "application/json"} if verb != "get" else {}
    answer = getattr(client, verb)(f"/api/v1/{path}", **more)
    assert answer.status_code < 300, answer.content
    return answer.json() if answer.content else None


def test_an_issuing_ca_goes_through_the_api(client: Client, meter: Product) -> None:
    made = call(client, "post", f"products/{meter.key}/issuing-ca", {"name": "Meter devices"})
    assert made["name"] == "Meter devices" and made["kind"] == "own" and "key" not in str(set(made) - {"device_key_kind"})
    assert call(client, "patch", f"products/{meter.key}/issuing-ca", {"certificate_days": 30})["certificate_days"] == 30
    assert call(client, "post", f"products/{meter.key}/issuing-ca/retire", {"reason": "over"}) is None
    assert client.get(f"/api/v1/products/{meter.key}/issuing-ca").status_code == 404
    given = an_issuer("Old CA")
    body = {"certificate": pem(given.certificate), "key": signing_keys.pem_of(given.key)}
    assert "PRIVATE" not in str(call(client, "post", f"products/{meter.key}/issuing-ca/take-up", body))


def test_what_was_issued_is_listed_and_revoked_through_the_api(client: Client, meter: Product) -> None:
    row = issuing_cast.stored(meter)
    for query in (f"product_key={meter.key}", f"device_name={DEVICE}", f"serial={row.serial}"):
        assert [one["serial"] for one in call(client, "get", f"issued-certificates?{query}")["items"]] == [row.serial]
    revoked = call(client, "post", f"issued-certificates/{row.pk}/revoke", {"reason": "key_compromise"})
    assert revoked["revoked_at"] and revoked["reason"] == "key_compromise"
    assert client.post(f"/api/v1/issued-certificates/{row.pk}/revoke", {}, content_type="application/json").status_code == 409
    assert call(client, "post", f"products/{meter.key}/revoke-device-certificates", {"device_name": DEVICE}) == {"revoked": 0}


def test_lists_go_through_the_api(client: Client) -> None:
    issuer = an_issuer("Works CA")
    now = timezone.now()
    authority: CertificateAuthority = authority_upkeep.upload(
        authority_upkeep.NewAuthority(pem(issuer.certificate).encode()), by=cast.OPERATOR, at=now
    )
    base = f"certificate-authorities/{authority.pk}"
    crl = revocation_lists.make(issuer, [revocation_lists.Entry(5, now)], number=4, at=now, lasts=timedelta(days=7))
    text = x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM).decode()
    assert call(client, "post", f"{base}/revocation-list/upload", {"list": text})["number"] == "4"
    assert call(client, "put", f"{base}/revocation-list", {"url": "http://127.0.0.1:9/"})["interval_minutes"] == 60
    assert call(client, "post", f"{base}/revocation-list/fetch")["url"] == "http://127.0.0.1:9/"
    assert call(client, "post", f"{base}/revoked-serials", {"serial": "0A"})["source"] == "hand"
    assert [one["serial"] for one in call(client, "get", f"{base}/revoked-serials")["items"]] == ["0A", "05"]
    assert call(client, "post", f"{base}/revocation-list/remove", {}) is None
