"""The lines that an operator copies, run as they are written by the real openssl."""

import re
import subprocess
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.crypto.certificates import chains, reading
from devices.rules.presented import Identity, name_in
from products.models import CertificateAuthority
from products.rules.openssl_lines import CA_FILE, KEY_FILE, PROOF_FILE, proof_lines
from products.services import authority_proof, authority_upkeep
from products.services.authority_upkeep import NewAuthority
from tests import cast
from tests.cast import OPERATOR
from tests.house.source import ROOT

pytestmark = pytest.mark.django_db
SECTION = re.compile(r"^## \d+\. Devices with certificates$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh$\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEYS = {
    "EC": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "RSA": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}


def run(text: str, folder: Path) -> str:
    """In a POSIX shell that stops at the first error."""
    done = subprocess.run(["sh", "-eu"], input=text, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    return done.stdout


def make_ca(folder: Path, kind: str) -> None:
    key = " ".join(KEYS[kind])
    subject, extensions = '-subj "/O=Works/CN=Works Root"', '-addext "keyUsage=critical,keyCertSign,cRLSign"'
    run(f"openssl {key} -out {KEY_FILE}\nopenssl req -x509 -new -key {KEY_FILE} -days 3650 {subject} {extensions} -out {CA_FILE}", folder)


def uploaded(folder: Path) -> CertificateAuthority:
    return authority_upkeep.upload(NewAuthority((folder / CA_FILE).read_bytes()), by=OPERATOR, at=timezone.now())


def proven(authority: CertificateAuthority, folder: Path) -> CertificateAuthority:
    return authority_proof.prove(authority.pk, (folder / PROOF_FILE).read_bytes(), by=OPERATOR, at=timezone.now())


@pytest.mark.parametrize("kind", KEYS)
def test_the_lines_of_the_page_prove_the_ca(client: Client, tmp_path: Path, kind: str) -> None:
    cast.home()
    client.force_login(cast.administrator())
    make_ca(tmp_path, kind)
    authority = uploaded(tmp_path)
    page = client.get(reverse("admin:products_certificateauthority_change", args=[authority.pk]))
    lines = page.context["lines"]
    assert lines == "\n".join(proof_lines(authority.proof_code))
    run(lines, tmp_path)
    assert proven(authority, tmp_path).state == "verified"


def test_lines_with_another_ca_s_key_prove_nothing(tmp_path: Path) -> None:
    make_ca(tmp_path, "EC")
    authority = uploaded(tmp_path)
    make_ca(tmp_path, "RSA")
    run("\n".join(proof_lines(authority.proof_code)), tmp_path)
    with pytest.raises(authority_proof.rules.ProofSignatureWrong):
        proven(authority, tmp_path)


def test_the_guide_s_lines_lead_from_a_new_ca_to_a_device(tmp_path: Path) -> None:
    """Block by block: make a CA, prove it, make a device's certificate, look at it."""
    section = SECTION.search((ROOT / "docs" / "guide.md").read_text())
    assert section
    make, prove, device, look = BLOCK.findall(section[1])
    run(make, tmp_path)
    authority = uploaded(tmp_path)
    assert "PROOF-CODE" in prove
    assert prove.splitlines() == list(proof_lines("PROOF-CODE"))
    run(prove.replace("PROOF-CODE", authority.proof_code), tmp_path)
    assert proven(authority, tmp_path).state == "verified"
    run(device, tmp_path)
    leaf = reading.read_one((tmp_path / "device.pem").read_bytes())
    path = chains.verify([leaf], [reading.from_der(bytes(authority.certificate))], at=timezone.now())
    assert [one.sha256 for one in path] == [leaf.sha256, authority.sha256]
    assert name_in(leaf, Identity.COMMON_NAME) == "A4C138000001"
    told = run(look, tmp_path)
    assert "device.pem: OK" in told
    assert leaf.sha1.upper() in told.replace(":", "")
