"""The native registration as a REST endpoint, with its page in the API's description."""

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from registration.api.doors import answer, not_allowed
from registration.protocols.native import FIRST_LINE, LONGEST_CSR, NONCE, PATH, PROBLEM_TYPE, SIGNATURE, Native
from registration.services.schemes import schemes

DESCRIPTION = f"""Hands a device its DeviceSecret, on proof that it knows its product's secret.

`signature` is the hexadecimal HMAC-SHA256, keyed by the ProductSecret as text, of
these seven lines joined by line feeds, none at the end:

    {FIRST_LINE}
    POST
    {PATH}
    <productKey>
    <deviceName>
    <timestamp>
    <nonce>

The timestamp must be within five minutes of the server's clock, and a nonce is good for one request. Until the device is
activated, it may register again and is handed the same secret. A wrong signature, an unknown product and an
unpublished one get one and the same answer.

A product may hand out certificates in place of secrets. Its devices send `csr`, a certificate request (PKCS #10) for a key of their own as
PEM, and sign an eighth line: the SHA-256 of that text, as 64 lower-case hexadecimal digits.
"""


class RegistrationForm(serializers.Serializer):
    productKey = serializers.CharField(max_length=128)  # noqa: N815
    deviceName = serializers.CharField(max_length=128)  # noqa: N815
    timestamp = serializers.IntegerField(min_value=0, help_text="Seconds since 1970, as the device's clock has them.")
    nonce = serializers.RegexField(NONCE.pattern, help_text="Random, never used before.")
    signature = serializers.RegexField(SIGNATURE.pattern, help_text="64 hexadecimal digits, in either letter case.")
    csr = serializers.CharField(required=False, max_length=LONGEST_CSR, help_text="PEM, of products that hand out certificates.")


class RegisteredForm(serializers.Serializer):
    productKey = serializers.CharField()  # noqa: N815
    deviceName = serializers.CharField()  # noqa: N815
    deviceSecret = serializers.CharField(required=False, help_text="Absent where a certificate stands in its place.")  # noqa: N815
    certificate = serializers.CharField(required=False, help_text="PEM.")
    certificateChain = serializers.CharField(required=False, help_text="PEM: its issuer, and who stands above.")  # noqa: N815
    isNew = serializers.BooleanField(help_text="Whether the device was not in this data center's list before.")  # noqa: N815
    requestId = serializers.UUIDField()  # noqa: N815


class ProblemForm(serializers.Serializer):
    """RFC 9457."""

    type = serializers.CharField(help_text="urn:nameplate:problem:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    requestId = serializers.UUIDField(help_text="Finds the attempt in the device log.")  # noqa: N815
    field = serializers.CharField(required=False, help_text="With `malformed`: the member at fault.")
    serverTime = serializers.IntegerField(required=False, help_text="With `outside_window`: seconds since 1970.")  # noqa: N815


class AnyJson(BaseContentNegotiation):
    """A device gets JSON, whatever it says that it accepts."""

    def select_parser(self, request: Request, parsers: object) -> None:
        return None

    def select_renderer(self, request: Request, renderers: object, format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), "application/json"


def _problem(description: str) -> OpenApiResponse:
    return OpenApiResponse(ProblemForm, description=description)


class RegisterDevice(APIView):
    """No authenticator, throttle or parser of the framework: the scheme reads the raw bytes itself."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = AnyJson
    http_method_names = ("post",)

    @extend_schema(
        operation_id="register_device",
        summary="Register a device",
        description=DESCRIPTION,
        tags=["Device door"],
        auth=[],
        request={"application/json": RegistrationForm},
        responses={
            (200, "application/json"): RegisteredForm,
            (400, PROBLEM_TYPE): _problem("malformed"),
            (401, PROBLEM_TYPE): _problem("bad_signature, outside_window"),
            (403, PROBLEM_TYPE): _problem("dynamic_registration_off, per_product_secret_off, wrong_authentication, device_disabled"),
            (404, PROBLEM_TYPE): _problem("not_imported"),
            (409, PROBLEM_TYPE): _problem("already_activated, already_registered, auto_create_limit, nonce_used"),
            (422, PROBLEM_TYPE): _problem("bad_device_name, bad_csr, csr_missing, csr_not_taken"),
            (500, PROBLEM_TYPE): _problem("internal"),
            (503, PROBLEM_TYPE): _problem("unavailable"),
        },
        examples=[
            OpenApiExample(
                "A device",
                request_only=True,
                value={
                    "productKey": "a1ExpAkj9Hi",
                    "deviceName": "dev0001",
                    "timestamp": 1795177737,
                    "nonce": "Q2x1a2Uu7-wq",
                    "signature": "0" * 64,
                },
            )
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        return register_device(request._request)


def register_device(request: HttpRequest) -> HttpResponse:
    """The view itself: it goes past the framework, which has nothing to do here but to describe it."""
    if request.method != "POST":
        return not_allowed()
    response = answer(schemes()[Native().name], request)
    if response.status_code == 401:
        response["WWW-Authenticate"] = FIRST_LINE
    return response


register_device.csrf_exempt = True  # type: ignore[attr-defined]
register_device.cls = RegisterDevice  # type: ignore[attr-defined]  # Where the API's description finds it.
register_device.initkwargs = {}  # type: ignore[attr-defined]
