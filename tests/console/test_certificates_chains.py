"""Certification paths: CAs made by the openssl binary, and the rules that need a certificate of a particular kind."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from console.crypto.certificates import chains, errors, reading
from console.crypto.certificates.certificate import Certificate
from tests.console.x509_parts import (
    CA,
    LEAF,
    NOW,
    authority,
    basic,
    certificate,
    curve_key,
    dn,
    extension,
    integer,
    key,
    known,
    purpose,
    rsa_key,
    usage,
)


def values(*ders: bytes) -> list[Certificate]:
    return [reading.from_der(one) for one in ders]


def admit(presented: list[bytes], anchors: list[bytes], at: datetime = NOW) -> list[str]:
    """What the certificates of the path are called."""
    return [one.shown_as for one in chains.verify(values(*presented), values(*anchors), at=at)]


def refusal(presented: list[bytes], anchors: list[bytes]) -> errors.CertificateError:
    with pytest.raises(errors.CertificateError) as refused:
        admit(presented, anchors)
    return refused.value


def leaf_of(name: str, **parts: object) -> bytes:
    return certificate(issuer=dn(name), signer=key(name), **parts)


# -- Made by OpenSSL -----------------------------------------------------------------------------------------------------------------------
SETTINGS = """
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[device]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
[req]
distinguished_name = dn
[dn]
"""
P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "settings.cnf")
RSA = ("-newkey", "rsa:2048", "-nodes", "-config", "settings.cnf")


class Openssl:
    """A folder of certificates: root, middle (of the root), and devices of either."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "settings.cnf").write_text(SETTINGS)
        self.run(
            "req", "-x509", *RSA, "-keyout", "root.key", "-out", "root.crt", "-days", "30", "-subj", "/O=Acme/CN=root", "-extensions", "ca"
        )
        self.issue("middle", of="root", section="ca", subject="/O=Acme/CN=middle")
        self.issue("device", of="middle", section="device", subject="/CN=device")
        self.issue("direct", of="root", section="device", subject="/CN=direct")
        self.issue("server", of="root", section="server", subject="/CN=server")
        self.issue("plain", of="root", section="", subject="/CN=plain")
        self.run("req", "-x509", *P256, "-keyout", "own.key", "-out", "own.crt", "-subj", "/CN=own", "-extensions", "device")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def issue(self, name: str, *, of: str, section: str, subject: str) -> None:
        self.run("req", *P256, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        more = ["-extfile", "settings.cnf", "-extensions", section] if section else []
        signer = ["-CA", f"{of}.crt", "-CAkey", f"{of}.key", "-CAcreateserial", "-days", "10"]
        self.run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *signer, *more)

    def read(self, name: str) -> Certificate:
        return reading.read_one((self.folder / f"{name}.crt").read_bytes())

    def accepts(self, leaf: str, *, anchor: str, untrusted: list[str], at: datetime) -> bool:
        """What `openssl verify` says of a client's certificate."""
        middle = [part for name in untrusted for part in ("-untrusted", f"{name}.crt")]
        options = ["-partial_chain", "-purpose", "sslclient", "-attime", str(int(at.timestamp())), "-CAfile", f"{anchor}.crt"]
        done = subprocess.run(
            ["openssl", "verify", *options, *middle, f"{leaf}.crt"], cwd=self.folder, capture_output=True, timeout=60, check=False
        )
        return done.returncode == 0


@pytest.fixture(scope="module")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> Openssl:
    return Openssl(tmp_path_factory.mktemp("openssl"))


SOON = timedelta(hours=1)


@pytest.mark.parametrize(
    ("leaf", "untrusted", "anchor", "later", "reason"),
    [
        ("device", ["middle"], "root", SOON, None),
        ("device", [], "middle", SOON, None),
        ("device", ["middle"], "middle", SOON, None),
        ("direct", [], "root", SOON, None),
        ("direct", ["middle"], "root", SOON, None),
        ("plain", [], "root", SOON, None),
        ("device", [], "root", SOON, errors.UnknownIssuer),
        ("direct", [], "middle", SOON, errors.UnknownIssuer),
        ("own", [], "root", SOON, errors.UnknownIssuer),
        ("server", [], "root", SOON, errors.WrongExtendedKeyUsage),
        ("middle", [], "root", SOON, errors.AuthorityAsLeaf),
        ("device", ["middle"], "root", timedelta(days=11), errors.Expired),
        ("direct", [], "root", timedelta(days=-1), errors.NotYetValid),
        ("direct", [], "root", timedelta(days=31), errors.Expired),
    ],
)
def test_it_decides_as_openssl_does(
    openssl: Openssl, leaf: str, untrusted: list[str], anchor: str, later: timedelta, reason: type[errors.NotTrusted] | None
) -> None:
    at = datetime.now(UTC) + later
    presented = [openssl.read(leaf), *map(openssl.read, untrusted)]
    assert openssl.accepts(leaf, anchor=anchor, untrusted=untrusted, at=at) == (reason is None)
    if reason is None:
        path = chains.verify(presented, [openssl.read(anchor)], at=at)
        assert (path[0].shown_as, path[-1].shown_as) == (leaf, anchor)
    else:
        with pytest.raises(errors.CertificateError) as refused:
            chains.verify(presented, [openssl.read(anchor)], at=at)
        assert refused.type is reason


def test_the_library_s_own_verifier_agrees_where_a_certificate_is_of_the_form_that_it_wants() -> None:
    """And refuses what `openssl x509 -req` makes, for which alone it is not used."""
    ca_key, leaf_key, now = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())

    def made(subject: x509.Name, holder: ec.EllipticCurvePrivateKey, *more: x509.ExtensionType) -> x509.Certificate:
        begin, end, number = now - timedelta(days=1), now + timedelta(days=1), x509.random_serial_number()
        building = x509.CertificateBuilder(issuer, subject, holder.public_key(), number, begin, end)
        for one in more:
            building = building.add_extension(one, critical=isinstance(one, (x509.BasicConstraints, x509.KeyUsage)))
        return building.sign(ca_key, SHA256())

    signing = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    subject_key = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    root = made(issuer, ca_key, x509.BasicConstraints(ca=True, path_length=None), signing, subject_key)
    device = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")])
    names, client = x509.SubjectAlternativeName([x509.DNSName("device")]), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    full, bare = made(device, leaf_key, identifier, names, client), made(device, leaf_key)
    theirs = PolicyBuilder().store(Store([root])).time(now).build_client_verifier()
    ours = reading.read_one(root.public_bytes(Encoding.DER))
    assert len(theirs.verify(full, []).chain) == 2
    with pytest.raises(VerificationError):
        theirs.verify(bare, [])
    for leaf in (full, bare):
        assert len(chains.verify([reading.read_one(leaf.public_bytes(Encoding.DER))], [ours], at=now)) == 2


# -- Finding a path ------------------------------------------------------------------------------------------------------------------------
def test_the_direct_issuer_alone_suffices_and_intermediates_may_come_in_any_order() -> None:
    far, near = authority("far", of="CA"), authority("near", of="far")
    leaf = leaf_of("near")
    assert admit([leaf], [near]) == ["device", "near"]
    assert admit([leaf, near], [far]) == ["device", "near", "far"]
    assert admit([leaf, far, near, near, leaf], [authority()]) == ["device", "near", "far", "CA"]
    assert admit([leaf, near, far, authority()], [authority()]) == ["device", "near", "far", "CA"]


def test_without_its_intermediate_the_sentence_names_the_issuer_that_is_missing() -> None:
    error = refusal([leaf_of("near")], [authority()])
    assert isinstance(error, errors.UnknownIssuer) and "its issuer is CN=near" in error.message


def test_nothing_is_trusted_where_there_is_no_anchor() -> None:
    assert isinstance(refusal([certificate(), authority()], []), errors.UnknownIssuer)
    assert isinstance(refusal([], [authority()]), errors.TooMany)
    assert isinstance(refusal([certificate()] * 11, [authority()]), errors.TooMany)


def test_a_root_that_is_presented_is_no_anchor() -> None:
    rogue = authority("rogue")
    assert isinstance(refusal([leaf_of("rogue"), rogue], [authority()]), errors.UnknownIssuer)


def test_certificates_that_sign_each_other_end_the_search() -> None:
    one, two = authority("one", of="two"), authority("two", of="one")
    assert isinstance(refusal([leaf_of("one"), one, two], [authority()]), errors.UnknownIssuer)


def test_a_tangle_of_certificates_ends_the_search() -> None:
    """Nine CA certificates of one name and one key: each could be the next one of all others."""
    tangle = [authority("tangle", serial=integer(number)) for number in range(1, 10)]
    assert isinstance(refusal([leaf_of("tangle"), *tangle], [authority()]), errors.PathTooLong)


def test_of_two_ca_certificates_of_one_name_the_one_whose_key_signed_is_found() -> None:
    other = authority(signer=key("other"), public=key("other").public_key())
    assert admit([certificate()], [other, authority()]) == ["device", "CA"]
    assert isinstance(refusal([certificate()], [other]), errors.BadCertificateSignature)


def test_a_ca_that_was_renewed_with_its_key_is_as_good() -> None:
    begin = b"\x30\x1e\x17\x0d200101000000Z\x17\x0d210101000000Z"
    old = authority(dates=begin, serial=integer(7))
    assert admit([certificate()], [old, authority()]) == ["device", "CA"]
    assert isinstance(refusal([certificate()], [old]), errors.Expired)


def test_a_path_length_does_not_count_what_a_ca_issued_to_itself() -> None:
    """RFC 5280, 4.2.1.9."""
    root = authority(extensions=(basic(ca=True, path_length=0), CA[1]), public=key("old").public_key(), signer=key("old"))
    rolled = authority(signer=key("old"))
    assert admit([certificate(), rolled], [root]) == ["device", "CA", "CA"]


# -- What each may be ----------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("curve", [ec.SECP384R1, ec.SECP521R1])
def test_other_strong_keys_are_accepted(curve: type[ec.EllipticCurve]) -> None:
    assert admit([certificate(public=curve_key(curve).public_key())], [authority()])
    assert admit([certificate(public=ed25519.Ed25519PrivateKey.generate().public_key())], [authority()])


def test_a_ca_may_sign_with_pss_or_with_eddsa() -> None:
    now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    edwards, pss = ed25519.Ed25519PrivateKey.generate(), padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)

    def made(signer, used, **options: object) -> list[Certificate]:
        found = []
        for subject, ca in ((x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")]), False), (name, True)):
            building = x509.CertificateBuilder(name, subject, signer.public_key(), 5, now - timedelta(days=1), now + timedelta(days=1))
            building = building.add_extension(x509.BasicConstraints(ca, None), critical=True)
            found.append(reading.from_der(building.sign(signer, used, **options).public_bytes(Encoding.DER)))
        return found

    for device, root in (made(edwards, None), made(rsa_key(), SHA256(), rsa_padding=pss)):
        assert len(chains.verify([device], [root], at=now)) == 2


def test_extensions_that_are_processed_may_be_critical() -> None:
    names = known(x509.SubjectAlternativeName([x509.DNSName("device")]), critical=True)
    policies = known(x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), critical=True)
    assert admit([certificate(extensions=(*LEAF, names, policies))], [authority()])


def test_an_unknown_extension_that_is_not_critical_is_read_over() -> None:
    unknown = extension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"anything at all")
    assert admit([certificate(extensions=(*LEAF, unknown))], [authority(extensions=(*CA, unknown))])


def test_any_extended_key_usage_suffices_for_a_ca_and_not_for_a_device() -> None:
    anything = purpose(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    assert admit([certificate()], [authority(extensions=(*CA, anything))])
    assert isinstance(refusal([certificate(extensions=(anything,))], [authority()]), errors.WrongExtendedKeyUsage)


def test_a_certificate_is_valid_in_its_first_and_in_its_last_second() -> None:
    leaf = reading.from_der(certificate())
    roots = values(authority())
    for at in (leaf.not_before, leaf.not_after):
        assert chains.verify([leaf], roots, at=at)
    with pytest.raises(errors.Expired):
        chains.verify([leaf], roots, at=leaf.not_after + timedelta(microseconds=1))


def test_a_sha1_signature_of_the_anchor_itself_does_not_matter() -> None:
    assert admit([certificate()], [authority(signature="ecdsa-sha1")]) == ["device", "CA"]


def test_names_within_what_the_ca_may_certify_pass() -> None:
    home = x509.NameConstraints([x509.DNSName("devices.example"), x509.DirectoryName(acme())], [x509.DNSName("bad.devices.example")])
    root = authority(extensions=(*CA, known(home, critical=True)))
    names = known(x509.SubjectAlternativeName([x509.DNSName("A.devices.example"), x509.UniformResourceIdentifier("urn:x")]))
    subject = dn("device", (NameOID.ORGANIZATION_NAME, " acme "))
    assert admit([certificate(subject=subject, extensions=(*LEAF, names))], [root])
    worse = known(x509.SubjectAlternativeName([x509.DNSName("x.bad.devices.example")]))
    assert isinstance(refusal([certificate(subject=subject, extensions=(*LEAF, worse))], [root]), errors.NameConstraintViolated)


def test_an_intermediate_is_held_to_the_constraints_above_it() -> None:
    root = authority(extensions=(*CA, known(x509.NameConstraints([x509.DirectoryName(acme())], None), critical=True)))
    middle = authority("middle", of="CA")
    leaf = leaf_of("middle", subject=dn("device", (NameOID.ORGANIZATION_NAME, "Acme")))
    error = refusal([leaf, middle], [root])
    assert isinstance(error, errors.NameConstraintViolated) and "CN=middle" in error.message


def test_a_mail_address_in_the_subject_counts_as_one() -> None:
    root = authority(extensions=(*CA, known(x509.NameConstraints([x509.RFC822Name("acme.example")], None), critical=True)))
    assert admit([certificate()], [root])
    error = refusal([certificate(subject=dn("device", (NameOID.EMAIL_ADDRESS, "a@acme.example")))], [root])
    assert isinstance(error, errors.NameConstraintUnsupported) and "email" in error.message


def test_who_signed() -> None:
    leaf, root, other = values(certificate(), authority(), authority("other"))
    assert chains.is_signed_by(leaf, root) and chains.is_signed_by(root, root)
    assert not chains.is_signed_by(leaf, other) and not chains.is_signed_by(leaf, leaf)


def test_a_leaf_for_signatures_and_key_agreement_passes() -> None:
    assert admit([certificate(extensions=(usage("digital_signature", "key_agreement"),))], [authority()])


def acme() -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])
