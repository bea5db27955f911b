"""A factory's own CAs and device certificates, made by the real openssl in a folder: chains, and one of each defect."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """\
[ca]
default_ca = works
[works]
database = {folder}/index.txt
new_certs_dir = {folder}
unique_subject = no
rand_serial = yes
default_md = sha256
policy = any
[any]
organizationName = optional
commonName = supplied
"""
CA_EXTENSIONS = """\
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""
DEVICE_EXTENSIONS = """\
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {purpose}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
YEARS = ("20260101000000Z", "20460101000000Z")
PAST = ("20200101000000Z", "20210101000000Z")
FUTURE = ("20450101000000Z", "20460101000000Z")


@dataclass(frozen=True)
class Made:
    """Files in PEM. `presented`: what a device loads, its certificate and the intermediates above it; empty for a root."""

    certificate: Path
    key: Path
    presented: Path

    @property
    def pem(self) -> str:
        return self.certificate.read_text()

    @property
    def sha256(self) -> str:
        """Lower-case hex, as openssl computes it."""
        return _fingerprint(self.certificate, "-sha256")

    @property
    def sha1(self) -> str:
        return _fingerprint(self.certificate, "-sha1")


class Factory:
    """Everything is made below `folder`, each thing under a new number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0
        (folder / "index.txt").touch()
        (folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=folder))

    def root(self, name: str = "Works Root") -> Made:
        key, request = self._request(name)
        return self._signed(request, key, None, CA_EXTENSIONS, YEARS)

    def intermediate(self, above: Made, name: str = "Works Line 3") -> Made:
        key, request = self._request(name)
        return self._signed(request, key, above, CA_EXTENSIONS, YEARS)

    def device(
        self, name: str, by: Made | None, *, purpose: str = "clientAuth", years: tuple[str, str] = YEARS, key: Path | None = None
    ) -> Made:
        """`by` None: signed by itself; `key`: of an earlier certificate, for one that is issued anew."""
        key, request = self._request(name, key)
        return self._signed(request, key, by, DEVICE_EXTENSIONS.format(purpose=purpose), years)

    def _request(self, name: str, key: Path | None = None) -> tuple[Path, Path]:
        self._made += 1
        new, request = self.folder / f"{self._made}.key", self.folder / f"{self._made}.csr"
        if key is None:
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(new))
        openssl("req", "-new", "-key", str(key or new), "-subj", f"/O=Works/CN={name}", "-out", str(request))
        return key or new, request

    def _signed(self, request: Path, key: Path, by: Made | None, extensions: str, years: tuple[str, str]) -> Made:
        wanted, certificate, presented = (request.with_suffix(end) for end in (".ext", ".pem", ".chain.pem"))
        wanted.write_text(extensions)
        signer = ["-cert", str(by.certificate), "-keyfile", str(by.key)] if by else ["-selfsign", "-keyfile", str(key)]
        files = ["-config", str(self.folder / "openssl.cnf"), "-in", str(request), "-out", str(certificate), "-extfile", str(wanted)]
        dates = ["-startdate", years[0], "-enddate", years[1]]
        openssl("ca", "-batch", "-notext", "-preserveDN", *signer, *files, *dates)
        is_root = by is None and extensions == CA_EXTENSIONS
        presented.write_text("" if is_root else certificate.read_text() + (by.presented.read_text() if by else ""))
        return Made(certificate, key, presented)


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}\n{done.stderr}"
    return done.stdout


def _fingerprint(certificate: Path, kind: str) -> str:
    told = openssl("x509", "-in", str(certificate), "-noout", "-fingerprint", kind)
    return told.partition("=")[2].strip().replace(":", "").lower()
