"""Kinds of defects by name, and certificates that have one of them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from console.crypto.certificates import errors

EACH: Final = 50
"""Certificates of a kind of defect."""


@dataclass(frozen=True)
class Spoiled:
    """The leaf first, then intermediates; the anchors are `CA` unless given. `field`: of the error; `says`: a part of its sentence."""

    presented: tuple[bytes, ...]
    reason: type[errors.CertificateError]
    anchors: tuple[bytes, ...] = ()
    field: str = ""
    says: str = ""


Kind = Callable[[random.Random], Iterator[Spoiled]]


class Kinds(dict[str, Kind]):
    """By the name of the function that makes them."""

    def add(self, make: Kind) -> Kind:
        self[make.__name__] = make
        return make

    def all_of(self, name: str) -> list[Spoiled]:
        """EACH of them, all different."""
        found: dict[tuple[tuple[bytes, ...], tuple[bytes, ...]], Spoiled] = {}
        for one in self[name](random.Random(name)):
            found.setdefault((one.presented, one.anchors), one)
            if len(found) == EACH:
                break
        return list(found.values())

    def first_of(self, name: str) -> Spoiled:
        return next(self[name](random.Random(name)))
