"""Why a job stopped in its midst: the row says it to whoever watches, until the job goes on. The worker's log has the rest."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from console.shared.jobs import JobQuerySet, JobState
from console.words import Sentence, say


@contextmanager
def noted(jobs: Any, pk: int) -> Iterator[None]:
    """Around a job's work. `jobs`: its model's manager. The row stays claimed, and the sweep sends it again when its lease is over."""
    try:
        yield
    except Exception as error:
        rows: JobQuerySet = jobs.filter(pk=pk, state=JobState.RUNNING)
        with suppress(DatabaseError, InterfaceError):
            rows.update(failure=_words(error))
        raise


def _words(error: Exception) -> Sentence:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return say("Interrupted: the disk of the data folder is full.")
    if isinstance(error, OperationalError | InterfaceError):
        return say("Interrupted: a database does not answer.")
    return say("Interrupted by an error of the console: the worker's log has it.")
