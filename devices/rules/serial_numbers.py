"""Serial numbers as they are generated: prefix, random characters, and a check character that catches what people mistype."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from console.crypto import codes
from console.errors import Invalid
from console.words import say

LARGEST_RUN = 10_000
"""At a time (Q7)."""
SHORTEST, LONGEST = 4, 40
"""Random characters."""
PREFIX_LENGTH = 20
ROOM = 10_000
"""So many numbers must be possible for each one made: whoever guesses finds a used one once in that many tries at the most."""

ALPHABETS = {"clear": "23456789ABCDEFGHJKLMNPQRSTUVWXYZ", "capitals": codes.BASE36_UPPER, "digits": codes.DIGITS}

_PREFIX = re.compile(rf"(?:[0-9A-Z][0-9A-Z-]{{0,{PREFIX_LENGTH - 1}}})?")
_KEEPS_DIGITS_TEXT = re.compile(r"[A-DF-Z]")
RandomBytes = Callable[[int], bytes]


class BadDesign(Invalid):
    """Serial numbers of this form cannot be made, or could be guessed."""

    code = "bad_serial_number_design"


@dataclass(frozen=True, slots=True)
class Design:
    """The form of a run's numbers; `alphabet` is a key of ALPHABETS, `length` the number of random characters."""

    prefix: str = ""
    alphabet: str = "clear"
    length: int = 10
    check_character: bool = False

    @property
    def room(self) -> int:
        """How many different numbers there are."""
        return int(len(ALPHABETS[self.alphabet]) ** self.length)


def prefix(text: str) -> str:
    """As it is stored. Raises BadDesign."""
    text = text.strip().upper()
    if not _PREFIX.fullmatch(text):
        words = "A prefix has up to {most} capital letters, digits and hyphens, and begins with a letter or a digit."
        raise BadDesign(say(words, most=PREFIX_LENGTH), field="prefix")
    return text


def check(design: Design, *, quantity: int) -> None:
    """Raises BadDesign, or Invalid at the quantity."""
    if not 1 <= quantity <= LARGEST_RUN:
        raise Invalid(say("Generate 1 to {most:,} serial numbers at a time.", most=LARGEST_RUN), field="quantity")
    if not SHORTEST <= design.length <= LONGEST:
        raise BadDesign(say("Choose {least} to {most} random characters.", least=SHORTEST, most=LONGEST), field="length")
    if design.room < quantity * ROOM:
        words = "With so few characters a serial number is easily guessed: choose at least {least} for {quantity:,} of them."
        raise BadDesign(say(words, least=_enough(design.alphabet, quantity), quantity=quantity), field="length")
    if design.alphabet == "digits" and not _KEEPS_DIGITS_TEXT.search(design.prefix):
        raise BadDesign(say("A spreadsheet takes digits for a figure: give the prefix a letter other than E."), field="prefix")


def _enough(alphabet: str, quantity: int) -> int:
    """The fewest random characters for so many numbers."""
    length = SHORTEST
    while len(ALPHABETS[alphabet]) ** length < quantity * ROOM:
        length += 1
    return length


def draw(design: Design, count: int, random: RandomBytes) -> list[str]:
    """`count` numbers, independent, so that two may be the same; none that a spreadsheet would change."""
    found: list[str] = []
    while len(found) < count:
        bodies = codes.any_texts(count - len(found), design.length, ALPHABETS[design.alphabet], random)
        numbers = (complete(design, body) for body in bodies)
        found += [number for number in numbers if codes.is_spreadsheet_safe(number)]
    return found


def complete(design: Design, body: str) -> str:
    """The whole number around its random characters."""
    number = design.prefix + body
    return number + check_character(number, ALPHABETS[design.alphabet]) if design.check_character else number


def check_character(number: str, alphabet: str) -> str:
    """One wrong character is always noticed, two exchanged neighbours nearly always. Characters that the alphabet has not are left out.

    ISO/IEC 7064, hybrid systems: MOD 11,10 for digits, MOD 37,36 for digits and letters, and the same with the 32 of `clear`.
    """
    size = len(alphabet)
    rest = size
    for character in number:
        if (value := alphabet.find(character)) >= 0:
            rest = (rest + value) % size or size
            rest = rest * 2 % (size + 1)
    return alphabet[(size + 1 - rest) % size]


def is_mistyped(design: Design, number: str) -> bool:
    """Whether it has the form of the design's numbers and a wrong check character. Without a prefix nobody can tell: too many numbers that
    others made have the same form."""
    body, alphabet = number.removeprefix(design.prefix), ALPHABETS[design.alphabet]
    has_form = len(body) == design.length + 1 and len(body) < len(number) and set(body) <= set(alphabet)
    return design.check_character and has_form and check_character(number[:-1], alphabet) != number[-1]
