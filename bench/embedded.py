"""The same work on the embedded default, SQLite: in a process of its own, since Django stands on one database for good."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

from bench import stage
from bench.figures import Figure


def figures(devices: int, registrations: int, rounds: int) -> list[Figure]:
    """Mass production, a workbook, and the doors; each beside its floor, which is SQLite's own."""
    sizes = [str(number) for number in (devices, registrations, rounds)]
    done = subprocess.run([sys.executable, "-m", "bench.embedded", *sizes], stdout=subprocess.PIPE, text=True, check=True)
    return [Figure(**facts) for facts in json.loads(done.stdout.splitlines()[-1])]


def _measure(devices: int, registrations: int, rounds: int) -> list[Figure]:
    with stage.embedded_stage() as folder:
        from bench import doors, storing, workbooks

        found = storing.automatic([devices], rounds) + workbooks.imported([devices], rounds)
        found += doors.registrations(registrations, rounds, folder, only="alibaba")
    return [replace(figure, work=f"SQLite: {figure.work}", floor=figure.floor.replace("COPY", "executemany"), aim="") for figure in found]


if __name__ == "__main__":
    print(json.dumps([asdict(figure) for figure in _measure(*(int(text) for text in sys.argv[1:]))]))
