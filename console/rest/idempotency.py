"""The same request twice has one effect and one answer: programs that lost an answer may ask again with the same Idempotency-Key.

The key is claimed by an insert that a uniqueness constraint decides. The request then runs in one transaction with the storing of its
answer, so that a claim without an answer is a request without an effect (in the center's database), and a dead one may be taken over.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F, QuerySet
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from console.errors import Conflict, Invalid
from console.models import IdempotentAnswer
from console.rest.problems import CONTENT_TYPE
from console.shared import keyring

HEADER = "Idempotency-Key"
LONGEST = 128
KEPT = timedelta(hours=24)
DEAD = timedelta(minutes=5)
"""A request that runs so long has lost its process: web servers end theirs sooner."""
REPEATED = "Idempotent-Replay"


class KeyReused(Invalid):
    """The key came before with another request."""

    code = "idempotency_key_reused"
    default_message = "This Idempotency-Key was used for another request. Use a new one for each thing that shall happen once."


class InFlight(Conflict):
    """The first request with this key still runs."""

    code = "idempotency_key_in_flight"
    default_message = "A request with this Idempotency-Key is being worked on. Ask again in a moment."


class BadIdempotencyKey(Invalid):
    code = "bad_idempotency_key"
    default_message = "An Idempotency-Key has 1 to 128 printable ASCII characters."


def key_of(request: Request) -> str:
    """Empty where the caller sends none. Raises BadIdempotencyKey."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return ""
    if not 1 <= len(key) <= LONGEST or not all("!" <= character <= "~" for character in key):
        raise BadIdempotencyKey(field=HEADER)
    return str(key)


def once(request: Request, key: str, run: Callable[[], HttpResponseBase], *, at: datetime) -> HttpResponseBase:
    """Runs it, or gives the answer again that it had. `run` answers expected errors itself; what it raises leaves no trace of the request.

    Raises KeyReused or InFlight.
    """
    caller, digest = _caller(request), _digest(request)
    claim = IdempotentAnswer(caller=caller, key=key, request_digest=digest, claimed_at=at)
    claim.sealed_answer = keyring.seal("", owner=claim.answer_owner())
    IdempotentAnswer.objects.bulk_create([claim], ignore_conflicts=True)
    mine = IdempotentAnswer.objects.filter(caller=caller, key=key).first()
    if mine is None:  # The first one failed in this moment and gave its key back.
        raise InFlight
    if not _is_ours(mine, claim):
        if mine.request_digest != digest:
            raise KeyReused(field=HEADER)
        if mine.status is not None:
            return _again(mine)
        if not _take_over(mine, at):
            raise InFlight
        mine.attempt += 1
    return _run(mine, run)


def forget_old(*, at: datetime) -> int:
    """Deletes the answers that were kept long enough, and returns how many."""
    return IdempotentAnswer.objects.claimed_before(at - KEPT).delete()[0]


def _is_ours(row: IdempotentAnswer, claim: IdempotentAnswer) -> bool:
    """A seal has a nonce of its own, so what was stored is what we sealed or another's."""
    return bytes(row.sealed_answer) == bytes(claim.sealed_answer)


def _take_over(row: IdempotentAnswer, at: datetime) -> bool:
    dead = IdempotentAnswer.objects.filter(pk=row.pk, status=None, attempt=row.attempt).claimed_before(at - DEAD)
    return bool(dead.update(attempt=F("attempt") + 1, claimed_at=at))


def _run(row: IdempotentAnswer, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Raises InFlight where the request was taken for dead meanwhile; its effect is undone then."""
    mine = IdempotentAnswer.objects.filter(pk=row.pk, status=None, attempt=row.attempt)
    try:
        with transaction.atomic():
            return _keep(row, mine, run())
    except _NotKept as kept:
        mine.delete()
        return kept.response
    except Exception:
        mine.delete()
        raise


def _keep(row: IdempotentAnswer, mine: QuerySet[IdempotentAnswer], response: HttpResponseBase) -> HttpResponseBase:
    """Raises _NotKept or InFlight, which undo what was done."""
    if not isinstance(response, Response) or response.status_code >= 500:
        raise _NotKept(response)
    if not mine.update(status=response.status_code, sealed_answer=_sealed(row, response)):
        raise InFlight
    return response


class _NotKept(Exception):
    """An answer that says nothing for good: the effect is undone, and the key is free again."""

    def __init__(self, response: HttpResponseBase) -> None:
        self.response = response


def _sealed(row: IdempotentAnswer, response: Response) -> bytes:
    facts = {"type": response.content_type or "", "body": response.data}
    return keyring.seal(orjson.dumps(facts, default=str).decode(), owner=row.answer_owner())


def _again(row: IdempotentAnswer) -> Response:
    facts: dict[str, Any] = orjson.loads(keyring.unseal(row.sealed_answer, owner=row.answer_owner()))
    problem = CONTENT_TYPE if facts["type"] == CONTENT_TYPE else None
    return Response(facts["body"], status=row.status, content_type=problem, headers={REPEATED: "true"})


def _caller(request: Request) -> str:
    api_key = getattr(request.user, "api_key", None)
    return f"key {api_key.pk}" if api_key is not None else f"user {request.user.pk}"


def _digest(request: Request) -> str:
    """Of method, address and body; of a form with files, of what its parts hold, since its boundary is another one each time."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if not request.content_type.startswith("multipart/"):
        digest.update(request._request.body)
        return digest.hexdigest()
    parts: Any = request.data
    for name, values in sorted(parts.lists()):
        for value in values:
            digest.update(f"\n{name}\n".encode())
            for piece in value.chunks() if hasattr(value, "chunks") else (str(value).encode(),):
                digest.update(piece)
    return digest.hexdigest()
