"""Fingerprints as people have them, read for a search."""

import pytest

from console.crypto.certificates import fingerprints

SHA1, SHA256 = "0a" * 20, "b7" * 32
PAIRS = ":".join(["0A"] * 20)


@pytest.mark.parametrize(
    "text", [SHA1, SHA1.upper(), PAIRS, f" {PAIRS}\n", PAIRS.replace(":", " "), f"SHA1 Fingerprint={PAIRS}", f"sha1 Fingerprint={SHA1}"]
)
def test_every_spelling_is_the_same_one(text: str) -> None:
    assert fingerprints.read(text) == fingerprints.beginning(text) == SHA1


def test_sha256_is_read_from_the_line_that_openssl_prints() -> None:
    assert fingerprints.read(f"sha256 Fingerprint={':'.join(['B7'] * 32)}") == SHA256


@pytest.mark.parametrize(
    "text", ["", " : ", "=", "ab" * 19, "a" * 41, "a" * 63, "a" * 65, "g" * 40, "a-" * 40, "ａ" * 40, "٣" * 40, "4C:11:AE:00:A7"]
)
def test_anything_else_is_none(text: str) -> None:
    assert fingerprints.read(text) == ""


@pytest.mark.parametrize(("text", "digits"), [("0A:0a", "0a0a"), ("Works", ""), ("::", ""), ("0a" * 33, "")])
def test_a_beginning_is_of_hex_digits_alone(text: str, digits: str) -> None:
    assert fingerprints.beginning(text) == digits
