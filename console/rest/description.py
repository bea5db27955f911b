"""How operations stand in the OpenAPI document: parameters, answers, and the same problems for all."""

from collections.abc import Callable
from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from console.rest.idempotency import HEADER, LONGEST
from console.rest.problems import CONTENT_TYPE

JSON = "application/json"
WORDS = {
    400: "The body cannot be read.",
    401: "No API key, or one that is unknown, expired or revoked.",
    403: "The key or its owner may not do this.",
    404: "It does not exist, or is of a product that the key does not see.",
    409: "The present state does not allow it, or a supply is used up; `code` says which.",
    413: "The body is too large.",
    415: "The body is of another type.",
    422: "A parameter or member breaks a rule; `field` or `errors` name it.",
    429: "The key has made as many requests as it may in a minute.",
    500: "Something went wrong on this side; the log has it under `request_id`.",
    503: "A part that is needed does not answer at the moment.",
}


class BrokenRule(serializers.Serializer):
    field = serializers.CharField(allow_blank=True, help_text="The member at fault as a path: rows.3.device_name.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer):
    """RFC 9457."""

    type = serializers.CharField(help_text="urn:nameplate:problem:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="What programs decide by.")
    detail = serializers.CharField(help_text="A sentence for people; it may change and be translated.")
    request_id = serializers.UUIDField(help_text="Finds the request in the server's log.")
    field = serializers.CharField(required=False, help_text="The member or parameter at fault, if it is one.")
    errors: Any = BrokenRule(many=True, required=False, help_text="Every rule of the form that is broken, with `invalid`.")


def describe(plan: Any) -> Callable[[Callable[..., Any]], Any]:
    """`plan`: console.rest.endpoints.Operation."""
    return extend_schema(
        operation_id=plan.name,
        summary=plan.summary,
        description=_words(plan),
        tags=[plan.tag],
        parameters=[*([plan.query] if plan.query else []), *_headers(plan)],
        request=_request(plan),
        responses=_answers(plan),
        examples=list(plan.examples) or None,
        auth=[] if plan.is_open else None,
    )


def page_of(item: Any) -> Any:
    """The form of a list's answer."""
    return _page_of(item)


@cache
def _page_of(item: type[serializers.Serializer]) -> type[serializers.Serializer]:
    members = {
        "items": item(many=True),
        "next": serializers.CharField(allow_null=True, help_text="The address of the next page, relative to the server; null at the end."),
        "__doc__": "A page of a list, newest first.",
    }
    return type(f"{item.__name__}Page", (serializers.Serializer,), members)


def _words(plan: Any) -> str:
    needed = "Needs the action " + " or ".join(f"`{permission}`" for permission in plan.permissions) + "."
    return plan.words if plan.is_open else f"{plan.words}\n\n{needed}".strip()


def _request(plan: Any) -> Any:
    return {plan.takes: plan.body} if plan.body else None


def _answers(plan: Any) -> dict[Any, Any]:
    if plan.answer is None:
        good: Any = OpenApiResponse(description="Done.")
        found: dict[Any, Any] = {204: good}
    else:
        form = page_of(plan.answer) if plan.many else plan.answer
        found = {(plan.status, plan.media): form}
    return found | {(status, CONTENT_TYPE): OpenApiResponse(Problem, description=WORDS[status]) for status in _problems(plan)}


def _problems(plan: Any) -> list[int]:
    statuses = {404, 422, 500} if plan.is_open else {401, 403, 404, 422, 429, 500}
    if plan.body:
        statuses |= {400, 413, 415}
    if plan.status != 200 or plan.body or plan.once or plan.answer is None or plan.guarded or plan.media != JSON:
        statuses |= {409, 503}
    return sorted(statuses)


def _headers(plan: Any) -> list[OpenApiParameter]:
    if plan.is_open:
        return []
    found = [
        OpenApiParameter(
            "Retry-After", int, OpenApiParameter.HEADER, response=[429], required=True, description="Seconds until the next minute begins."
        ),
        OpenApiParameter(
            "RateLimit-Remaining", int, OpenApiParameter.HEADER, response=[200], description="Requests left in this minute, of an API key."
        ),
    ]
    if plan.once:
        words = "Makes a repetition harmless: the same key with the same request has the same answer for 24 hours."
        pattern = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"}
        found.append(OpenApiParameter(HEADER, pattern, OpenApiParameter.HEADER, description=words))
    return found


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "console.rest.authentication.ApiKeyAuthentication"
    name = "apiKey"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "npk_...", "description": "An API key, made in the console."}


class ConsoleSessionScheme(OpenApiAuthenticationExtension):
    target_class = "console.rest.authentication.ConsoleSession"
    name = "consoleSession"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "The console's session, with the CSRF token."}


class ClosedForm(OpenApiSerializerExtension):
    """What refuses unknown members says so."""

    target_class = "console.rest.forms.Form"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}
