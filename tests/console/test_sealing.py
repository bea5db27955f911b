"""Sealing: bound to its owner and its key, and it grows by keys, not by guesses."""

from collections.abc import Callable

import pytest

from console.crypto import sealing
from console.crypto.sealing import BadKeyRing, KeyMissing, KeyRing, SealBroken

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


def test_it_opens_what_it_sealed_for_the_same_owner() -> None:
    ring = KeyRing([OLD])
    assert ring.open(ring.seal(b"secret", b"device 1"), b"device 1") == b"secret"


def test_it_refuses_an_envelope_that_was_moved_to_another_owner() -> None:
    ring = KeyRing([OLD])
    with pytest.raises(SealBroken):
        ring.open(ring.seal(b"secret", b"device 1"), b"device 2")


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_it_refuses_a_changed_byte_anywhere(position: int) -> None:
    ring = KeyRing([OLD])
    sealed = bytearray(ring.seal(b"0123456789abcdef0123456789abcdef", b"device 1"))
    sealed[position] ^= 1
    with pytest.raises(SealBroken):
        ring.open(bytes(sealed), b"device 1")


def test_an_old_key_opens_and_the_new_one_seals() -> None:
    old = KeyRing([OLD])
    both = old.with_new_primary(NEW)
    sealed = old.seal(b"secret", b"device 1")
    assert both.open(sealed, b"device 1") == b"secret"
    assert old.is_current(sealed) and not both.is_current(sealed)
    with pytest.raises(KeyMissing, match="not on the key ring"):
        both.without_old_keys().open(sealed, b"device 1")


def test_an_envelope_relabelled_with_another_key_does_not_open() -> None:
    both = KeyRing([NEW, OLD])
    sealed = KeyRing([OLD]).seal(b"secret", b"device 1")
    with pytest.raises(SealBroken):
        both.open(both.header + sealed[sealing.HEADER_SIZE :], b"device 1")


def pairs(count: int) -> list[tuple[str, bytes]]:
    return [(f"secret {number}", b"device %d" % number) for number in range(count)]


def test_many_are_sealed_in_their_order_and_each_alone() -> None:
    ring = KeyRing([OLD])
    sealed = ring.seal_many(pairs(50))
    assert len(set(sealed)) == len({one[sealing.HEADER_SIZE : sealing.BODY] for one in sealed}) == 50
    assert [ring.open(one, owner).decode() for one, (_text, owner) in zip(sealed, pairs(50), strict=True)] == [
        text for text, _owner in pairs(50)
    ]
    assert ring.seal_many([]) == []


def test_many_are_opened_in_their_order_whichever_key_sealed_them() -> None:
    old, both = KeyRing([OLD]), KeyRing([NEW, OLD])
    values = pairs(20)
    sealed = [*old.seal_many(values[:7]), *both.seal_many(values[7:])]
    assert both.open_many([(one, owner) for one, (_text, owner) in zip(sealed, values, strict=True)]) == [text for text, _owner in values]
    assert both.open_many([]) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: b"\x02" + sealed[1:],
        lambda sealed: sealed[: sealing.HEADER_SIZE + 3],
        lambda sealed: sealed[: sealing.OVERHEAD - 1],
        lambda sealed: b"",
    ],
)
def test_one_that_does_not_open_among_many_is_said(spoil: Callable[[bytes], bytes]) -> None:
    ring = KeyRing([OLD])
    values = [(sealed, owner) for sealed, (_text, owner) in zip(ring.seal_many(pairs(5)), pairs(5), strict=True)]
    values[3] = spoil(values[3][0]), values[3][1]
    with pytest.raises(SealBroken) as caught:
        ring.open_many(values)
    assert not isinstance(caught.value, KeyMissing)


def test_one_whose_key_is_not_there_among_many_is_said() -> None:
    values = [(sealed, owner) for sealed, (_text, owner) in zip(KeyRing([OLD]).seal_many(pairs(5)), pairs(5), strict=True)]
    with pytest.raises(KeyMissing, match="not on the key ring"):
        KeyRing([NEW]).open_many(values)


def test_a_ring_survives_its_text() -> None:
    ring = KeyRing([NEW, OLD])
    assert sealing.load(ring.dump()).ids() == ring.ids()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2, "keys": []}', '{"version": 1, "keys": []}', '{"version": 1, "keys": ["AAAA"]}']
)
def test_it_refuses_a_ring_of_another_form(text: str) -> None:
    with pytest.raises(BadKeyRing):
        sealing.load(text)
