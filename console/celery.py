"""The Celery application. A worker that is killed takes its pool with it: no orphan goes on with a task that was given to another."""

import ctypes
import gc
import os
import signal

from celery import Celery
from celery.signals import worker_init, worker_process_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

# All checks of the console's code and pages; what a worker must be refused for is below.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
PR_SET_PDEATHSIG = 1

app = Celery("nameplate")
app.add_defaults(lambda: settings.CELERY)
app.autodiscover_tasks()


@worker_init.connect
def refuse_unsafe_worker(**kwargs: object) -> None:
    from console.refusals import refuse_unsafe_start

    refuse_unsafe_start()


@worker_process_init.connect
def die_with_parent(**kwargs: object) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@worker_process_init.connect
def set_the_program_aside(**kwargs: object) -> None:
    """What a worker has loaded is never garbage: the collector would look through all of it in the midst of a job, a tenth of a second each
    time."""
    gc.collect()
    gc.freeze()
