"""Which database connections of a thread are believed to live without being asked."""

import threading
import time

from django.db import connections

YOUNG_SECONDS = 5.0

_last = threading.local()


def look_after() -> None:
    """At the beginning of a task of this thread. A connection that it used a moment ago is not asked first whether it is still there: that
    question is a round trip of its own, and a door's work is two. One at which something went wrong, or that rested longer, is asked.

    Where the database has gone meanwhile, one answer of each thread is "unavailable".
    """
    now = time.monotonic()
    young = now - getattr(_last, "used", 0.0) < YOUNG_SECONDS
    _last.used = now
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:  # Whoever began the transaction looks after it.
            continue
        if connection.errors_occurred or not young:
            connection.close_if_unusable_or_obsolete()
        else:
            connection.health_check_done = True  # type: ignore[attr-defined]
