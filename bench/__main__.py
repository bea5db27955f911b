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
    """How much of everything, and how often."""

    devices: int
    registrations: int
    listed: int
    paged: int
    rounds: int


FULL = Size(devices=50_000, registrations=600, listed=200_000, paged=500_000, rounds=5)
QUICK = Size(devices=10_000, registrations=200, listed=200_000, paged=50_000, rounds=3)


def parts(size: Size) -> dict[str, Part]:
    """In the order in which they run."""
    from bench import doors, lists, mqtt, pages, storing, workbooks

    return {
        "batch": lambda folder: storing.automatic(size.devices, size.rounds),
        "codes": lambda folder: storing.activation_codes(size.devices, size.rounds, folder),
        "workbook": lambda folder: workbooks.imported(size.devices, size.rounds),
        "doors": lambda folder: doors.registrations(size.registrations, size.rounds, folder),
        "mqtt": lambda folder: mqtt.registrations(size.registrations, size.rounds, folder),
        "checks": lambda folder: mqtt.checks(size.registrations * 4, size.rounds, folder),
        "lists": lambda folder: lists.device_list(size.listed, size.rounds),
        "pages": lambda folder: pages.of_any_size(size.paged, size.rounds),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures every figure beside its floor, in one run on a private PostgreSQL."
    )
    parser.add_argument("--quick", action="store_true", help="smaller, and three rounds instead of five")
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="batch, codes, workbook, doors, mqtt, checks, lists, pages")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the figures into this document, between its marks")
    options = parser.parse_args(arguments)
    size, started, found = QUICK if options.quick else FULL, time.monotonic(), list[Figure]()
    with stage() as folder:
        for name, measure in parts(size).items():
            if options.only and name not in options.only:
                continue
            print(f"{name} ...", file=sys.stderr, flush=True)
            found += measure(folder)
        text = report.text(found, rounds=size.rounds, seconds=time.monotonic() - started)
    print(text)
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
