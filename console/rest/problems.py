"""What goes wrong, as a program reads it: problem details (RFC 9457) for every error of the API, and one table of statuses."""

import logging
from collections.abc import Iterator
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from console.errors import Conflict, DomainError, Exhausted, Forbidden, Invalid, NotFound, Unavailable
from console.shared import request_ids
from console.shared.translation import shown

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:nameplate:problem:"
RETRY_SECONDS: Final = 5

STATUSES: Final[tuple[tuple[type[DomainError], int], ...]] = (
    (Invalid, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Exhausted, 409),
    (Forbidden, 403),
    (Unavailable, 503),
)
"""A family of errors → its status. What belongs to no family is damage of our own: a sealed value or a stored file that does not open."""


class TooManyRequests(DomainError):
    """`seconds` until the next one is taken."""

    code = "too_many_requests"
    default_message = "This API key has made as many requests as it may in a minute."

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class TooLarge(DomainError):
    code = "too_large"
    default_message = "The request is larger than this address takes."


def status_of(error: DomainError) -> int:
    if isinstance(error, TooManyRequests):
        return 429
    if isinstance(error, TooLarge):
        return 413
    return next((status for family, status in STATUSES if isinstance(error, family)), 500)


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """The answer to any error: expected ones in their own words, the unexpected without a word outside and with its trace in the log."""
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    if isinstance(error, ObjectDoesNotExist):
        error = NotFound()
    if isinstance(error, DomainError):
        return _of_domain(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    log.error("A request of the API failed.", exc_info=error)
    return internal()


def internal() -> Response:
    """Damage of our own, without a word about it."""
    return problem(500, "internal", _("Something went wrong on this side. The request's number finds it in the server's log."))


def _of_domain(error: DomainError) -> Response:
    facts: dict[str, Any] = {"field": error.field} if error.field else {}
    status = status_of(error)
    response = problem(status, error.code, shown(error), **facts)
    if isinstance(error, TooManyRequests):
        response["Retry-After"] = str(error.seconds)
    elif status == 503:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def _of_framework(error: exceptions.APIException) -> Response:
    """Django REST framework's own: their words are about the request alone."""
    if isinstance(error, exceptions.ValidationError):
        errors = list(_members(error.detail, ""))
        response = problem(422, "invalid", _("The request breaks a rule of its form."), errors=errors)
    else:
        code = error.get_codes()
        response = problem(error.status_code, code if isinstance(code, str) else "error", str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def _members(detail: Any, at: str) -> Iterator[dict[str, str]]:
    """Each rule that was broken with the member that breaks it, as a path: rows.3.device_name."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            member = "" if name == "non_field_errors" else str(name)
            yield from _members(inner, ".".join(part for part in (at, member) if part))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            place = f"{at}.{index}".strip(".") if isinstance(inner, dict | list) else at
            yield from _members(inner, place)
    else:
        yield {"field": at, "code": str(getattr(detail, "code", "invalid")), "detail": str(detail)}


def problem(status: int, code: str, detail: str, **facts: Any) -> Response:
    body = {
        "type": f"{TYPE}{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": str(request_ids.current()),
        **facts,
    }
    return Response(body, status=status, content_type=CONTENT_TYPE)
