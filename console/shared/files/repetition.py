"""Shared strings, distrusted: a reader copies a string into every cell that names it, so a small file could fill the memory."""

import re
from collections.abc import Iterator

from console.shared.files.refusal import MIB, FileRefused

TEXT_AT_MOST = 2048 * MIB
_STRING = re.compile(rb"<(?:[\w.\-]+:)?si[\s/>]")


class Repetition:
    """Counts cells and measures shared strings while their XML streams past; both from above, which is enough to refuse the absurd."""

    def __init__(self) -> None:
        self.cells = 0
        self.longest = 0

    def counting_cells(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Each pass over the sheet counts anew; the longest pass counts."""
        cells = 0
        for piece in pieces:
            cells += piece.count(b"<c") + piece.count(b":c")
            self.cells = max(self.cells, cells)
            yield piece

    def measuring_strings(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The distance between two strings' beginnings is at least the length of the first; a part without strings measures nothing."""
        waiting, run, inside = b"", 0, False
        for piece in pieces:
            waiting += piece
            cut = max(waiting.rfind(b"<"), 0) or len(waiting)
            for index, between in enumerate(_STRING.split(waiting[:cut])):
                if index:
                    inside, run = True, 0
                run += len(between)
                self.longest = max(self.longest, run if inside else 0)
            waiting = waiting[cut:]
            yield piece

    def check(self) -> None:
        """Raises FileRefused."""
        if self.cells * self.longest > TEXT_AT_MOST:
            raise FileRefused("The texts of the file are far too long for so many cells: this is no list of devices.")
