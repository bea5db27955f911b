"""A figure: how long the work took, how long its floor took, and the ratio; medians of several rounds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

HEADINGS = ("work", "floor", "ratio", "lowest to highest", "aim", "work took", "floor took", "peak memory")


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is the median of the rounds' own ratios, so that a slow moment of the machine weighs on both sides of one round alone.

    `aim` is for half a million devices; empty where none is set. `peak_mib`: of the worker process, where one did the work.
    """

    work: str
    floor: str
    ratio: float
    lowest: float
    highest: float
    aim: str
    work_took: str
    floor_took: str
    peak_mib: float | None = None

    def cells(self) -> tuple[str, ...]:
        peak = "" if self.peak_mib is None else f"{self.peak_mib:.0f} MiB"
        spread = f"{self.lowest:.2f} to {self.highest:.2f}"
        return self.work, self.floor, f"{self.ratio:.2f}", spread, self.aim, self.work_took, self.floor_took, peak


def of_times(work: str, floor: str, took: Sequence[tuple[float, float]], *, aim: str = "", peak_mib: float | None = None) -> Figure:
    """`took`: seconds of the work and of its floor, a pair a round. Small ratios are good."""
    ratios = [own / base for own, base in took]
    own, base = (median(column) for column in zip(*took, strict=True))
    return Figure(work, floor, median(ratios), min(ratios), max(ratios), aim, seconds(own), seconds(base), peak_mib)


def of_growth(work: str, took: Mapping[int, Sequence[float]]) -> list[Figure]:
    """`took`: seconds of each round by size, from small to great; each size against the one before it, as many times as it is greater.
    `work` has a place for the size. What starting costs weighs upon the small ones."""
    return [
        of_times(
            work.format(great),
            f"{small:,} devices, times {great / small:g}",
            [(own, base * great / small) for own, base in zip(took[great], took[small], strict=True)],
            aim="≤ 1.2",
        )
        for small, great in pairwise(took)
    ]


def of_rates(work: str, floor: str, rates: Sequence[tuple[float, float]], *, aim: str, remarks: tuple[str, str]) -> Figure:
    """`rates`: answers a second of the work and of its floor, a pair a round; great ratios are good. `remarks`: on both."""
    ratios = [own / base for own, base in rates]
    own, base = (f"{median(column):,.0f}/s{remark}" for column, remark in zip(zip(*rates, strict=True), remarks, strict=True))
    return Figure(work, floor, median(ratios), min(ratios), max(ratios), aim, own, base)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def lines(figures: Iterable[Figure]) -> list[str]:
    """A table that is also Markdown."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    table = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return [table[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *table[1:]]
