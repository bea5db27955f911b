"""Fingerprints that people type, the two slots of a device, and what becomes of them when a certificate is presented (Q6)."""

import pytest

from console.crypto.certificates import reading
from devices.rules import pins
from devices.rules.certificate_refusals import OtherCertificate
from devices.rules.pins import BadFingerprint, Match, Pin, PinMissing, Pins, PinTwice, compare
from tests.console.x509_parts import certificate, dn, integer, key

FIRST = reading.from_der(certificate())
AGAIN = reading.from_der(certificate(serial=integer(99)))
"""Issued anew for the same key."""
OTHER = reading.from_der(certificate(subject=dn("device"), public=key("another").public_key()))
SEEN = pins.taken(FIRST)


def colons(text: str) -> str:
    return ":".join(text[at : at + 2] for at in range(0, len(text), 2)).upper()


@pytest.mark.parametrize(
    "spelled", [str, str.upper, colons, lambda text: f" {text[:20]} {text[20:]}\n", lambda text: colons(text).replace(":", " ")]
)
def test_a_typed_fingerprint_is_kept_in_one_spelling(spelled) -> None:
    assert pins.typed(spelled(FIRST.sha1)) == Pin(sha1=FIRST.sha1)
    assert pins.typed(spelled(FIRST.sha256)) == Pin(sha256=FIRST.sha256)


def test_none_is_typed() -> None:
    assert pins.typed("") is None
    assert pins.typed("  ") is None


@pytest.mark.parametrize("text", ["zz", "a" * 39, "a" * 41, "a" * 63, "a" * 65, "g" * 40, "a-" * 40, "ａ" * 40, "٣" * 40])
def test_anything_else_is_no_fingerprint(text: str) -> None:
    with pytest.raises(BadFingerprint):
        pins.typed(text)


def test_the_first_certificate_is_taken() -> None:
    found = compare(Pins(), FIRST, same_key=False)
    assert (found.match, found.pins, found.changed) == (Match.FIRST, Pins(SEEN), True)


@pytest.mark.parametrize("pin", [Pin(sha1=FIRST.sha1), Pin(sha256=FIRST.sha256)])
def test_a_typed_fingerprint_becomes_both_and_sha256_of_the_key_when_it_is_seen(pin: Pin) -> None:
    found = compare(Pins(pin), FIRST, same_key=False)
    assert (found.match, found.pins, found.changed) == (Match.CURRENT, Pins(SEEN), True)
    assert not compare(found.pins, FIRST, same_key=False).changed
    assert found.pins.current == Pin(FIRST.sha256, FIRST.spki_sha256, FIRST.sha1)


def test_sha256_decides_where_it_is_known() -> None:
    with pytest.raises(OtherCertificate):
        compare(Pins(Pin(OTHER.sha256, OTHER.spki_sha256, FIRST.sha1)), FIRST, same_key=False)


@pytest.mark.parametrize(
    ("pin", "expected", "seen"),
    [(SEEN, FIRST.sha256, OTHER.sha256), (Pin(sha1=FIRST.sha1), FIRST.sha1, OTHER.sha1)],
    ids=["sha256", "sha1"],
)
def test_another_certificate_is_refused_with_both_fingerprints_of_one_kind(pin: Pin, expected: str, seen: str) -> None:
    with pytest.raises(OtherCertificate) as refused:
        compare(Pins(pin), OTHER, same_key=True)
    assert refused.value.facts == {"expected": expected, "seen": seen}
    assert expected in refused.value.message and seen in refused.value.message


def test_the_same_key_passes_only_where_that_is_allowed() -> None:
    found = compare(Pins(SEEN), AGAIN, same_key=True)
    assert (found.match, found.changed, found.pins.current) == (Match.SAME_KEY, True, pins.taken(AGAIN))
    with pytest.raises(OtherCertificate):
        compare(Pins(SEEN), AGAIN, same_key=False)


def test_the_same_key_means_nothing_before_the_key_was_seen() -> None:
    with pytest.raises(OtherCertificate):
        compare(Pins(Pin(sha1=FIRST.sha1)), AGAIN, same_key=True)


def test_the_next_certificate_becomes_the_current_one_when_it_is_presented() -> None:
    both = pins.with_next(Pins(SEEN), pins.typed(OTHER.sha1))
    still = compare(both, FIRST, same_key=False)
    assert (still.match, still.changed, still.pins) == (Match.CURRENT, False, both)
    found = compare(both, OTHER, same_key=False)
    assert (found.match, found.pins) == (Match.NEXT, Pins(pins.taken(OTHER)))
    with pytest.raises(OtherCertificate):
        compare(found.pins, FIRST, same_key=True)


def test_a_third_certificate_is_refused_with_what_is_expected_next() -> None:
    both = pins.with_next(Pins(SEEN), pins.typed(OTHER.sha256))
    with pytest.raises(OtherCertificate) as refused:
        compare(both, AGAIN, same_key=False)
    assert refused.value.facts == {"expected": FIRST.sha256, "following": OTHER.sha256, "seen": AGAIN.sha256}


def test_a_next_one_that_is_emptied_missing_or_the_current_one() -> None:
    assert pins.with_next(Pins(SEEN, SEEN), None) == Pins(SEEN)
    assert pins.with_next(Pins(), None) == Pins()
    with pytest.raises(PinMissing):
        pins.with_next(Pins(), Pin(sha1="a" * 40))
    with pytest.raises(PinTwice):
        pins.with_next(Pins(SEEN), pins.typed(FIRST.sha256))
    with pytest.raises(PinTwice):
        pins.with_next(Pins(SEEN), pins.typed(FIRST.sha1))
    with pytest.raises(PinTwice):
        pins.with_next(Pins(Pin(sha1=FIRST.sha1)), pins.typed(FIRST.sha1))


def test_a_reset_empties_both_slots_or_says_what_is_expected_from_now_on() -> None:
    assert compare(pins.reset(), OTHER, same_key=False).match is Match.FIRST
    with pytest.raises(OtherCertificate):
        compare(pins.reset(pins.typed(FIRST.sha1)), OTHER, same_key=False)
    assert compare(pins.reset(pins.typed(OTHER.sha1)), OTHER, same_key=False).match is Match.CURRENT
