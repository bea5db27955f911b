"""What an upload may be, what is read of a certificate, and what is refused before anything of it is kept."""

import pickle
import subprocess
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.crypto.certificates import errors, pem, private_keys, reading
from tests.console.x509_parts import (
    BEGIN,
    CA,
    END,
    LEAF,
    authority,
    basic,
    certificate,
    curve_key,
    dn,
    extension,
    key,
    known,
    purpose,
    rsa_key,
    tlv,
    usage,
)

LEAF_PEM = pem.armoured(certificate()).encode()
PKCS8 = key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_every_field_is_a_plain_value() -> None:
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("device.example"),
            x509.DNSName("other.example"),
            x509.IPAddress(ip_address("10.0.0.1")),
            x509.RFC822Name("device@acme.example"),
            x509.UniformResourceIdentifier("urn:device:1"),
            x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "设备")])),
            x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4"), b"\x0c\x03abc"),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        ]
    )
    keys = [known(x509.SubjectKeyIdentifier(b"\x01\x02")), known(x509.AuthorityKeyIdentifier(b"\x03\x04", None, None))]
    private = extension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.7"), b"\x05\0")
    subject = dn("device", (NameOID.ORGANIZATION_NAME, "Acme, Inc"), (NameOID.SERIAL_NUMBER, "SN-1"), (NameOID.COMMON_NAME, "first"))
    used = usage("digital_signature", "key_agreement")
    der = certificate(
        subject=subject, extensions=(basic(ca=False), used, purpose(ExtendedKeyUsageOID.CLIENT_AUTH), known(names), *keys, private)
    )
    one = reading.from_der(der)
    assert (one.der, one.version, one.serial_number, one.serial_hex) == (der, 3, 0x1234, "1234")
    assert (one.subject, one.issuer) == (r"CN=device,CN=first,2.5.4.5=SN-1,O=Acme\, Inc", "CN=CA")
    assert (one.subject_bytes, one.issuer_bytes) == (subject, dn("CA"))
    assert (one.not_before, one.not_after) == (BEGIN, END) and one.not_after.utcoffset() == timedelta(0)
    assert (one.is_ca, one.path_length) == (False, None)
    assert one.key_usages == {"digitalSignature", "keyAgreement"}
    assert one.extended_key_usages == {"1.3.6.1.5.5.7.3.2"}
    assert (one.subject_key_identifier, one.authority_key_identifier) == ("0102", "0304")
    assert (one.common_names, one.subject_serial_numbers, one.shown_as) == (("first", "device"), ("SN-1",), "first")
    found = one.alternative_names
    assert (found.dns, found.ip, found.email, found.uri) == (
        ("device.example", "other.example"),
        ("10.0.0.1",),
        ("device@acme.example",),
        ("urn:device:1",),
    )
    assert (found.directory, found.registered_id, found.other) == (("CN=设备",), ("1.2.3.4",), (("1.3.6.1.5.5.7.8.4", "0c03616263"),))
    assert len(found.all) == 8
    assert (one.key_kind, one.key_bits, one.curve) == ("EC", 256, "secp256r1")
    assert (one.signature_algorithm, one.signature_hash) == ("ecdsa-with-SHA256", "sha256")
    assert one.critical_extensions == {"2.5.29.19", "2.5.29.15"}
    assert "1.3.6.1.4.1.99999.7" in one.extensions
    assert pickle.loads(pickle.dumps(one)) == one


def test_fingerprints_are_those_of_openssl(tmp_path) -> None:
    (tmp_path / "c.pem").write_bytes(LEAF_PEM)

    def openssl(*arguments: str, given: bytes | None = None) -> bytes:
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True, input=given).stdout

    one = reading.read_one(LEAF_PEM)
    for name in ("sha1", "sha256"):
        told = openssl("x509", "-in", "c.pem", "-noout", "-fingerprint", f"-{name}").decode()
        assert told.partition("=")[2].strip().replace(":", "").lower() == getattr(one, name)
    key_der = openssl("pkey", "-pubin", "-outform", "DER", given=openssl("x509", "-in", "c.pem", "-noout", "-pubkey"))
    assert openssl("dgst", "-sha256", given=key_der).decode().split()[-1] == one.spki_sha256
    assert openssl("x509", "-in", "c.pem", "-noout", "-serial").decode().strip() == f"serial={one.serial_hex}"
    assert openssl("x509", "-in", "c.pem").decode() == reading.to_pem(one)


@pytest.mark.parametrize(
    ("holder", "kind", "bits"),
    [(rsa_key(), "RSA", 2048), (curve_key(ec.SECP384R1), "EC", 384), (ed25519.Ed25519PrivateKey.generate(), "Ed25519", 256)],
)
def test_kinds_of_keys(holder, kind: str, bits: int) -> None:
    one = reading.from_der(certificate(public=holder.public_key()))
    assert (one.key_kind, one.key_bits) == (kind, bits)


def test_a_key_of_a_kind_that_is_not_known_is_named_by_its_oid() -> None:
    strange = tlv(0x30, tlv(0x30, bytes.fromhex("06032a0305")), b"\x03\x03\x00\x01\x02")
    assert reading.from_der(certificate(public=strange)).key_kind == "1.2.3.5"


def test_characters_that_cannot_be_shown_are_written_out_where_a_name_is_shown() -> None:
    one = reading.from_der(certificate(subject=dn("a\nb\x1b[31m\u202ec")))
    assert one.shown_as == r"a\u{a}b\u{1b}[31m\u{202e}c"
    assert one.subject.isprintable()
    assert one.common_names == ("a\nb\x1b[31m\u202ec",)


def test_pem_and_der_one_and_several() -> None:
    leaf, root = certificate(), authority()
    text = LEAF_PEM + pem.armoured(root).encode()
    assert [one.der for one in reading.read(leaf)] == [leaf]
    assert [one.der for one in reading.read(leaf + root)] == [leaf, root]
    assert len(reading.read(text)) == 2
    assert len(reading.read(LEAF_PEM + LEAF_PEM)) == 1
    assert len(reading.read(text.replace(b"\n", b"\r\n"))) == 2
    assert len(reading.read("\ufeff主题=设备\n".encode() + LEAF_PEM + b"\n\n")) == 1
    assert reading.read_one(LEAF_PEM.replace(b"CERTIFICATE", b"X509 CERTIFICATE")).der == reading.read_one(LEAF_PEM).der
    with pytest.raises(errors.TooMany, match="2 certificates"):
        reading.read_one(text)


@pytest.mark.parametrize(
    ("upload", "reason", "says"),
    [
        (b"", errors.Unreadable, "empty"),
        (b"hello", errors.NotDer, "neither PEM nor DER"),
        (b"PK\x03\x04zip", errors.NotDer, "neither PEM nor DER"),
        (b"\x30" + b"\0" * reading.MAX_UPLOAD, errors.TooLarge, "1 MB"),
        (LEAF_PEM.replace(b"CERTIFICATE", b"CERTIFICATE REQUEST"), errors.WrongLabel, "CERTIFICATE REQUEST"),
        (LEAF_PEM.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), errors.WrongLabel, "TRUSTED CERTIFICATE"),
        (LEAF_PEM.replace(b"CERTIFICATE", b"PUBLIC KEY"), errors.WrongLabel, "PUBLIC KEY"),
        (LEAF_PEM.replace(b"CERTIFICATE", b"PKCS7"), errors.WrongLabel, "PKCS7"),
        (LEAF_PEM.replace(b"END CERTIFICATE", b"END X509 CRL"), errors.BadPem, "another label"),
        (LEAF_PEM.partition(b"-----END")[0], errors.BadPem, "no END"),
        (LEAF_PEM.replace(b"-----END", b"----END"), errors.BadPem, "no END"),
        (LEAF_PEM.replace(b"BEGIN CERTIFICATE-----", b"BEGIN CERTIFICATE"), errors.BadPem, "damaged"),
        (LEAF_PEM.replace(b"MII", b"M!I", 1), errors.BadPem, "not base64"),
        (LEAF_PEM.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\n\n", 1), errors.BadPem, "not base64"),
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", errors.BadPem, "empty"),
        (LEAF_PEM + b"---\nServer certificate", errors.TrailingBytes, "22 bytes"),
        (certificate() + b"\0\0", errors.TrailingBytes, "2 bytes"),
        (certificate()[:-1], errors.NotDer, "end within"),
        (pem.armoured(certificate() + b"\x05\0").encode(), errors.TrailingBytes, "2 bytes"),
        (LEAF_PEM * 21, errors.TooMany, "more than 20"),
        (tlv(0x30, bytes.fromhex("06092a864886f70d010702"), b"\xa0\x02\x30\0"), errors.NotDer, "PKCS #7"),
    ],
)
def test_what_is_no_certificate_is_refused_with_the_reason(upload: bytes, reason: type[errors.CertificateError], says: str) -> None:
    with pytest.raises(errors.CertificateError) as refused:
        reading.read(upload)
    assert refused.type is reason and says in refused.value.message


def private_key_files() -> dict[str, bytes]:
    secret, traditional, plain = rsa_key(), PrivateFormat.TraditionalOpenSSL, NoEncryption()
    locked = BestAvailableEncryption(b"pass")
    files = {
        "pkcs8": PKCS8,
        "pkcs8 pem": key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, plain),
        "sec1": key().private_bytes(Encoding.DER, traditional, plain),
        "sec1 pem": key().private_bytes(Encoding.PEM, traditional, plain),
        "pkcs1": secret.private_bytes(Encoding.DER, traditional, plain),
        "pkcs1 pem": secret.private_bytes(Encoding.PEM, traditional, plain),
        "rsa pkcs8": secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, plain),
        "encrypted": secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, locked),
        "encrypted pem": secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked),
        "encrypted traditional": secret.private_bytes(Encoding.PEM, traditional, locked),
        "openssh": key().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, plain),
        "ed25519": ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, plain),
        "pkcs12": pkcs12.serialize_key_and_certificates(b"x", key(), x509.load_der_x509_certificate(certificate()), None, locked),
        "under a certificate's label": pem.armoured(PKCS8).encode(),
        "encrypted, under a certificate's label": pem.armoured(key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, locked)).encode(),
        "behind a DER certificate": certificate() + PKCS8,
        "cut short behind a DER certificate": certificate() + secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, plain)[:-300],
    }
    text = files["pkcs8 pem"]
    files |= {
        "before a certificate": text + LEAF_PEM,
        "behind a certificate": LEAF_PEM + text,
        "between": LEAF_PEM + text + LEAF_PEM,
        "in UTF-16": text.decode().encode("utf-16"),
        "in lower case": text.replace(b"BEGIN PRIVATE KEY", b"begin private key"),
        "without its end": text[:-40],
        "with other dashes": text.replace(b"-----", b"---- "),
    }
    return files


@pytest.mark.parametrize("name", private_key_files())
def test_a_private_key_is_refused_wherever_it_stands_and_nothing_of_it_is_kept(name: str) -> None:
    with pytest.raises(errors.PrivateKeyFound) as refused:
        reading.read(private_key_files()[name])
    error = refused.value
    assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)
    assert (error.facts, error.args) == ({}, (errors.PrivateKeyFound.default_message,))


def test_a_certificate_is_not_taken_for_a_private_key() -> None:
    assert not any(private_keys.is_one(one) for one in (certificate(), authority(), certificate(version=b"", extensions=None)))
    assert reading.from_der(certificate(subject=dn("PRIVATE KEY")))


def test_what_was_read_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        reading.read_one(LEAF_PEM).subject = "CN=other"  # type: ignore[misc]


def test_a_ca_has_its_path_length() -> None:
    one = reading.from_der(authority(extensions=(basic(ca=True, path_length=1), CA[1])))
    assert (one.is_ca, one.path_length, one.is_self_issued) == (True, 1, True)


def test_dates_beyond_2049_are_read() -> None:
    one = reading.from_der(certificate(dates=tlv(0x30, tlv(0x17, b"491231235959Z"), tlv(0x18, b"99991231235959Z"))))
    assert (one.not_before.year, one.not_after.year) == (2049, 9999)


def test_rsa_keys_of_a_size_that_is_not_accepted_are_read_all_the_same() -> None:
    assert reading.from_der(certificate(public=rsa_key(1024).public_key(), extensions=LEAF)).key_bits == 1024
