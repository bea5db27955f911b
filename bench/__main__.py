"""`make bench` and `make bench-quick`."""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import report
from bench.figures import Figure
from bench.stage import stage

Part = Callable[[Path], list[Figure]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything, and how often. `growth`: sizes of one work, the last is `devices`. `there`: rows of a table that is full
    already. `meanwhile`: devices of a batch that registrations go on beside. `embedded`: devices on SQLite. `few`: rounds of what takes
    long."""

    devices: int
    growth: tuple[int, ...]
    there: int
    meanwhile: int
    embedded: int
    registrations: int
    listed: int
    paged: int
    rounds: int
    few: int


FULL = Size(
    devices=500_000, growth=(5_000, 50_000, 500_000), there=5_000_000, meanwhile=500_000, embedded=50_000,
    registrations=300, listed=5_000_000, paged=500_000, rounds=5, few=3,
)  # fmt: skip
QUICK = Size(
    devices=10_000, growth=(1_000, 10_000), there=100_000, meanwhile=100_000, embedded=5_000,
    registrations=80, listed=30_000, paged=3_000, rounds=2, few=1,
)  # fmt: skip
PARTS = (
    "batch", "full", "workbook", "codes", "export", "receipts", "doors", "meanwhile", "mqtt", "checks", "lists", "pages",
    "sqlite",
)  # fmt: skip

QUICK_PARTS = tuple(part for part in PARTS if part not in ("full", "receipts", "meanwhile", "pages", "sqlite"))


def parts(size: Size) -> dict[str, Part]:
    """By the names of PARTS, in the order in which they run."""
    from bench import codes, doors, embedded, lists, meanwhile, mqtt, pages, receipts, storing, workbooks

    return {
        "batch": lambda folder: storing.automatic(size.growth, size.rounds),
        "full": lambda folder: storing.into_a_full_table(size.devices, size.there, size.few),
        "workbook": lambda folder: workbooks.imported(size.growth, size.few) + workbooks.produced(size.devices, size.few),
        "codes": lambda folder: codes.activation_codes(size.devices, size.rounds, folder),
        "export": lambda folder: codes.pre_import_list(size.devices, size.few, folder),
        "receipts": lambda folder: receipts.issued(size.devices, size.few),
        "doors": lambda folder: doors.registrations(size.registrations, size.rounds, folder),
        "meanwhile": lambda folder: meanwhile.registrations_during(size.meanwhile, size.few, folder),
        "mqtt": lambda folder: mqtt.registrations(size.registrations, size.rounds, folder),
        "checks": lambda folder: mqtt.checks(size.registrations * 4, size.rounds, folder),
        "lists": lambda folder: lists.device_list(size.listed, size.rounds),
        "pages": lambda folder: pages.of_any_size(size.paged, size.few),
        "sqlite": lambda folder: embedded.figures(size.embedded, size.registrations, size.few),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures every figure beside its floor, in one run on a private PostgreSQL."
    )
    parser.add_argument(
        "--quick", action="store_true", help="smaller, fewer rounds, and without the parts that say nothing at a small size"
    )
    parser.add_argument("--only", nargs="+", default=(), metavar="PART", choices=PARTS, help=", ".join(PARTS))
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the figures into this document, between its marks")
    options = parser.parse_args(arguments)
    size, started, found = QUICK if options.quick else FULL, time.monotonic(), list[Figure]()
    wanted = options.only or (QUICK_PARTS if options.quick else PARTS)
    with stage() as folder:
        try:
            for name, measure in parts(size).items():
                if name not in wanted:
                    continue
                began = time.monotonic()
                found += measure(folder)
                print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        finally:  # What was measured before a part that failed is told all the same.
            text = report.text(found, rounds=size.rounds, seconds=time.monotonic() - started)
            print(text, flush=True)
    if options.write:
        report.put(text, options.write)


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("Stopped; the private server is gone.")
