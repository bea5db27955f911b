"""The form in which a decision is explained."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

Words = Any
"""A lazy translation."""


class Place(Enum):
    """Where the remedy is."""

    PRODUCT = "product"
    DEVICE = "device"
    PRE_IMPORT = "pre_import"
    BROKERS = "brokers"
    AUTHORITIES = "authorities"
    NOWHERE = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """`meaning`: what it says; `cause`: what usually stands behind it; `remedy`: what to do, `place`: on which page."""

    meaning: Words
    cause: Words
    remedy: Words
    place: Place = Place.NOWHERE
