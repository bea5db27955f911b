"""The lines that an operator copies, run as they are written by the real openssl."""

import subprocess
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from products.models import CertificateAuthority
from products.rules.openssl_lines import CA_FILE, KEY_FILE, PROOF_FILE, proof_lines
from products.services import authority_proof, authority_upkeep
from products.services.authority_upkeep import NewAuthority
from tests import cast
from tests.cast import OPERATOR

pytestmark = pytest.mark.django_db
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
