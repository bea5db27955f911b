"""The figures as a text, on the terminal and in docs/performance.md."""

from collections.abc import Sequence
from pathlib import Path

from bench import figures, machine
from bench.figures import Figure

BEGIN, END = "<!-- figures: written by `python -m bench --write` -->", "<!-- end of figures -->"


def text(found: Sequence[Figure], *, rounds: int, seconds: float) -> str:
    """The machine, then the table. Times: the ratio is how many times the floor; answers a second: which part of the floor."""
    return "\n".join(
        [machine.description(), f"Medians of {rounds} rounds; the whole took {seconds:.0f} seconds.", "", *figures.lines(found)]
    )


def put(written: str, document: Path) -> None:
    """Between the document's two marks; what people wrote around them stays. Raises ValueError where the marks are missing."""
    before, _begin, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _old, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{document} lacks the marks between which the figures stand.")
    document.write_text(f"{before}{BEGIN}\n\n{written}\n\n{END}{after}", encoding="utf-8")
