"""Who calls: a program by its API key, or a person by the console's session, whom the API's page lets try things out."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from console.rest import keys
from console.shared.addresses import client_address

SCHEME = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer npk_...`. Whoever presents a key is that key and nobody else, whatever cookies come along."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _space, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != SCHEME.lower() or not key.startswith(keys.PREFIX):
            raise exceptions.AuthenticationFailed("Send the API key as: Authorization: Bearer npk_...", code="bad_key")
        now = timezone.now()
        try:
            principal = keys.find(key.strip(), at=now)
        except keys.BadKey as error:
            raise exceptions.AuthenticationFailed(error.message, code=error.code) from error
        address = client_address(request.META, settings.NAMEPLATE_TRUSTED_PROXIES)
        request.rate = keys.count(principal.api_key, address=address, at=now)  # type: ignore[attr-defined]
        return principal, principal.api_key

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="Nameplate"'


class ConsoleSession(SessionAuthentication):
    """A member of staff who is signed in to the console, with Django's CSRF check."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found = super().authenticate(request)
        return found if found is not None and found[0].is_staff else None
