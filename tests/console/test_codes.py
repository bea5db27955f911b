"""Random codes: the right length and alphabet, even, and safe in a spreadsheet."""

import hashlib
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.crypto import codes


def counted_random(seed: bytes = b"seed") -> codes.RandomBytes:
    """A repeatable source that behaves like a random one."""
    state = [seed]

    def draw(size: int) -> bytes:
        state[0] = hashlib.sha256(state[0]).digest()
        return hashlib.shake_256(state[0]).digest(size)

    return draw


@pytest.mark.parametrize("alphabet", [codes.HEX, codes.BASE62, codes.BASE36_UPPER])
def test_codes_have_their_length_and_their_alphabet(alphabet: str) -> None:
    made = codes.texts(500, 24, alphabet, counted_random())
    assert len(set(made)) == 500
    assert {len(one) for one in made} == {24}
    assert set("".join(made)) == set(alphabet)


def test_every_character_is_equally_likely() -> None:
    counts = Counter("".join(codes.texts(4000, 31, codes.BASE62, counted_random())))
    mean = 4000 * 31 / 62
    assert all(abs(count - mean) < 6 * mean**0.5 for count in counts.values())


@pytest.mark.parametrize("text", ["", "=1+1", "+49", "-x", "@cmd", "0123456789", "8E14", "123e", "12e3456", " x", "\tx"])
def test_it_knows_what_a_spreadsheet_would_mangle(text: str) -> None:
    assert not codes.is_spreadsheet_safe(text)


@pytest.mark.parametrize("text", ["a1b2", "12ab", "1e2e3", "/abc==", "lDZ6Uqt+I9E0wW7rvDUs7Q=="])
def test_it_lets_the_rest_be(text: str) -> None:
    assert codes.is_spreadsheet_safe(text)


@given(st.binary(min_size=1, max_size=8))
def test_nothing_unsafe_is_ever_made(seed: bytes) -> None:
    made = codes.texts(60, 3, codes.HEX, counted_random(seed)) + codes.base64_keys(20, 16, counted_random(seed))
    assert all(codes.is_spreadsheet_safe(one) for one in made)


def drawn_in_parts(cut: list[int], random: codes.RandomBytes) -> list[str]:
    parts = [codes.Part(first, end, cut[-1]) for first, end in pairwise(cut)]
    return [one for part in parts for one in codes.ordered_texts(part.end - part.first, 18, codes.BASE62, part, random)]


def test_parts_that_are_drawn_one_after_the_other_ascend_together() -> None:
    made = drawn_in_parts([0, 500, 501, 1500, 2000], counted_random())
    assert made == sorted(made)
    assert len(set(made)) == 2000
    assert {len(one) for one in made} == {18}


def test_the_parts_together_are_as_even_as_the_whole() -> None:
    for made in (drawn_in_parts(list(range(0, 6201, 100)), counted_random()), drawn_in_parts([0, 6200], counted_random())):
        for place in (0, 1, 5, 17):
            counts = Counter(one[place] for one in made)
            assert all(abs(counts[character] - 100) < 60 for character in codes.BASE62)


@given(st.binary(min_size=1, max_size=8))
def test_nothing_unsafe_is_ever_made_in_order(seed: bytes) -> None:
    part = codes.Part(2, 3, 16)
    made = codes.ordered_texts(60, 5, codes.HEX, part, counted_random(seed))
    assert all(codes.is_spreadsheet_safe(one) and one[0] == "2" for one in made)
