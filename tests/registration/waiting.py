"""Waiting for what other processes do."""

import time
from collections.abc import Callable


def until(is_so: Callable[[], object], seconds: float = 20.0) -> float:
    """Returns after how many seconds it was so; fails when it was not in time."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"It was not so within {seconds} seconds."
        time.sleep(0.05)
    return time.monotonic() - began
