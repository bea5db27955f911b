"""An endpoint: who may, what comes in, one call of a service, what goes out. Everything that all of them share is here.

An endpoint is a class for an address, with a method for each verb. `operation` declares the verb: its permission, the forms of what
comes in, the form of the answer. It is carried out in this order: who calls (401), how often (429), may he (403), is he still there
(for secrets), the parameters and the body (400, 413, 415, 422), the Idempotency-Key, and at last the method itself, which gets a Call.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from console.errors import Forbidden
from console.rest import idempotency, problems
from console.rest.authentication import ApiKeyAuthentication, ConsoleSession
from console.rest.description import describe
from console.rest.forms import Form, Query
from console.rest.paging import page
from console.shared import confirmation
from console.shared.actors import Actor, actor_of

Serializer = type[BaseSerializer[Any]]


class NotConfirmed(Forbidden):
    """A person signed in long ago asks for a secret."""

    code = "not_confirmed"
    default_message = "Confirm in the console that it is you: your last confirmation is older than ten minutes."


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be carried out. `query` and `data` hold the checked parameters and members."""

    request: Request
    user: Any
    by: Actor
    at: datetime
    query: Mapping[str, Any]
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`permission`: one, or several of which one is enough; none where the body holds the credential. `guarded`: reads a secret. `once`:
    takes an Idempotency-Key. `many`: the method returns a queryset, which is answered page by page. `takes`, `media`: the types of the
    body and of the answer."""

    name: str
    summary: str
    tag: str
    permission: str | tuple[str, ...] = ()
    answer: Serializer | None = None
    status: int = 200
    many: bool = False
    query: type[Query] | None = None
    body: type[Form] | None = None
    guarded: bool = False
    once: bool = False
    words: str = ""
    examples: tuple[Any, ...] = ()
    media: str = "application/json"
    takes: str = "application/json"

    def allows(self, user: Any) -> bool:
        return self.is_open or any(user.has_perm(permission) for permission in self.permissions)

    @property
    def permissions(self) -> tuple[str, ...]:
        return (self.permission,) if isinstance(self.permission, str) else self.permission

    @property
    def is_open(self) -> bool:
        """Also to who has no key."""
        return not self.permission


def operation(**declared: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares a verb of an endpoint; the arguments are those of Operation."""
    plan = Operation(**declared)

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def method(self: "Endpoint", request: Request, **place: Any) -> HttpResponseBase:
            return self.carry_out(plan, functools.partial(function, self), request, place)

        described = describe(plan)(method)
        described.operation = plan
        return described

    return wrap


class Json(JSONParser):
    """From the bytes that Django holds at most; nesting that no program means is no JSON to us."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        request: HttpRequest = parser_context["request"]._request if parser_context else stream
        try:
            return orjson.loads(request.body) if request.body.strip() else {}
        except orjson.JSONDecodeError as error:
            raise exceptions.ParseError(f"The body is not JSON: {error}.") from error


class AlwaysJson(BaseContentNegotiation):
    """One form of answer, whatever is said to be accepted."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """By the type of the content, as usual."""
        kind = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), "application/json"


class Endpoint(APIView):
    authentication_classes: Sequence[Any] = (ApiKeyAuthentication, ConsoleSession)
    permission_classes: Sequence[Any] = (IsAuthenticated,)
    parser_classes: Sequence[Any] = (Json,)
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def get_exception_handler(self) -> Any:
        return problems.answer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who may not, learns nothing else."""
        super().initial(request, *args, **kwargs)
        plan = self._plan(request)
        if plan is None:
            return
        if not plan.allows(request.user):
            raise exceptions.PermissionDenied
        if plan.guarded:
            need_confirmation(request)

    def carry_out(self, plan: Operation, method: Callable[..., Any], request: Request, place: dict[str, Any]) -> HttpResponseBase:
        at = timezone.now()
        call = Call(request, request.user, actor_of(request), at, _parameters(plan, request), _members(plan, request))

        def run() -> HttpResponseBase:
            try:
                return _answered(plan, method(call, **place), call)
            except Exception as error:
                return problems.answer(error, {})

        key = idempotency.key_of(request) if plan.once else ""
        return idempotency.once(request, key, run, at=at) if key else run()

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if rate := getattr(request, "rate", None):
            response["RateLimit-Limit"] = str(rate.limit)
            response["RateLimit-Remaining"] = str(rate.left)
            response["RateLimit-Reset"] = str(rate.seconds)
        return response

    def _plan(self, request: Request) -> Operation | None:
        name = (request.method or "").lower()
        return getattr(getattr(self, "get" if name == "head" else name, None), "operation", None)


class NoSuchAddress(Endpoint):
    """Of every path below /api/v1/ that is nobody's."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise exceptions.NotFound("There is nothing at this address.")


def need_confirmation(request: Request) -> None:
    """Of a person who is signed in; a key was made by one who had confirmed it. Raises NotConfirmed."""
    if request.auth is None and not confirmation.is_fresh(request._request, timezone.now()):
        raise NotConfirmed


def _parameters(plan: Operation, request: Request) -> Mapping[str, Any]:
    form = (plan.query or Query)(data=request.query_params)
    form.is_valid(raise_exception=True)
    found: Mapping[str, Any] = form.validated_data
    return found


def _members(plan: Operation, request: Request) -> Mapping[str, Any]:
    """Raises ValidationError; a body where none belongs is passed over."""
    if plan.body is None:
        return {}
    form = plan.body(data=request.data, partial=request.method == "PATCH")
    form.is_valid(raise_exception=True)
    found: Mapping[str, Any] = form.validated_data
    return found


def _answered(plan: Operation, value: Any, call: Call) -> HttpResponseBase:
    if isinstance(value, HttpResponseBase):
        return value
    if plan.answer is None:
        return Response(None, status=204)
    if plan.many:
        body: Any = _list(plan.answer, value, call)
    else:
        body = plan.answer(value).data
    return Response(body, status=plan.status)


def _list(form: Serializer, value: Any, call: Call) -> dict[str, Any]:
    """`value`: a queryset, or one with what the form of its rows needs beside it."""
    rows, context_of = value if isinstance(value, tuple) else (value, lambda found: {})
    found, following = page(rows, dict(call.query), call.request)
    return {"items": form(found, many=True, context=context_of(found)).data, "next": following}
