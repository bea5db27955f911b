"""What load balancers and watchdogs ask: does this process live, and is it ready?"""

import logging
from collections.abc import Callable
from functools import cache

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from console.shared import keyring

log = logging.getLogger(__name__)

Probe = Callable[[HttpRequest], HttpResponse]


def reading_only(probe: Probe) -> Probe:
    def view(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(b"", status=405, headers={"Allow": "GET, HEAD"}, content_type="text/plain")
        return probe(request)

    view.__doc__ = probe.__doc__
    return view


@reading_only
def alive(request: HttpRequest) -> HttpResponse:
    """Says that this process takes requests. It asks no database: where that is away, the doors themselves say so in each scheme's
    own words, and a load balancer that took every server out would leave the devices with no answer at all."""
    return HttpResponse(b"ok", content_type="text/plain")


@reading_only
def ready(request: HttpRequest) -> HttpResponse:
    """Whether this process can do its work: the center's database answers, its tables are those of this code, the key ring opens.

    200 or 503, and which of them fails; why is in the server's log.
    """
    found = {name: _passes(name, check) for name, check in CHECKS.items()}
    answer = JsonResponse({"ready": all(found.values()), "checks": {name: "ok" if fine else "failed" for name, fine in found.items()}})
    answer.status_code = 200 if all(found.values()) else 503
    answer["Cache-Control"] = "no-store"
    return answer


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:
        log.warning("Not ready: %s: %s", name, error)
        return False
    return True


def _database() -> None:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@cache
def _tables() -> None:
    """Raises until the tables are up to date; then this process need not look again."""
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError("The tables are older than this code: run `manage.py setup`.")


def _key_ring() -> None:
    keyring.current()


CHECKS: dict[str, Callable[[], None]] = {"database": _database, "tables": _tables, "key_ring": _key_ring}
