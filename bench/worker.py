"""One job in a fresh worker process: how long it took, and how much memory the process had at its most."""

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measured:
    """`seconds` from the job's first line to its last, `cpu_seconds` of that process alone, `peak_mib` with all that a worker loads."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measure(task: str, number: int) -> Measured:
    """`task` is the name of a Celery task, `number` the row that it takes."""
    done = subprocess.run([sys.executable, "-m", "bench.worker", task, str(number)], stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _work(task: str, number: int) -> Measured:
    import django

    django.setup()
    from django.db import connection

    from console.celery import app, set_the_program_aside

    app.loader.import_default_modules()
    job = app.tasks[task]
    connection.ensure_connection()
    set_the_program_aside()
    started, used = time.perf_counter(), time.process_time()
    job(number)
    return Measured(time.perf_counter() - started, time.process_time() - used, peak_mib())


def peak_mib(*, afresh: bool = False) -> float:
    """Of this program; getrusage would also count the process that it was started from. `afresh`: forget the peak, and say what it holds
    now."""
    if afresh:
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    print(json.dumps(asdict(_work(sys.argv[1], int(sys.argv[2])))))
