"""Programs that call the API: a key of chosen actions, and a client that presents it."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from console.models import ApiKey
from console.rest import keys
from products.models import Product, ProductAccess

ROOT = "/api/v1"


def every_action() -> list[str]:
    return sorted(f"{app}.{code}" for app, code in Permission.objects.values_list("content_type__app_label", "codename"))


def owner(name: str = "paula") -> Any:
    """Who may everything."""
    found = get_user_model().objects.filter(username=name).first()
    return found or get_user_model().objects.create_superuser(name, f"{name}@example.com", "correct horse battery staple")


def make_key(
    *actions: str, of: Any = None, products: list[Product] | None = None, at: datetime | None = None, **facts: Any
) -> tuple[str, ApiKey]:
    """The key as text and its row; without actions, of every action. `products`: None is every product."""
    at = at or timezone.now()
    text = keys.new()
    row = ApiKey.objects.create(
        **{
            "owner": of or owner(),
            "name": "Line 3",
            "beginning": text[: keys.BEGINNING],
            "digest": keys.digest_of(text),
            "actions": list(actions) or every_action(),
            "every_product": products is None,
            "created_at": at - timedelta(days=1),
            "expires_at": at + timedelta(days=30),
            "requests_per_minute": 100_000,
            **facts,
        }
    )
    ProductAccess.objects.bulk_create([ProductAccess(api_key=row, product=product) for product in products or []])
    return text, row


class Program(Client):
    """Calls paths below /api/v1 with its key."""

    def __init__(self, *actions: str, key: str = "", **facts: Any) -> None:
        super().__init__(raise_request_exception=False)
        self.key = key or make_key(*actions, **facts)[0]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`headers` as keyword names: Idempotency_Key="..."."""
        sent = {"Authorization": f"Bearer {self.key}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        extra = {"data": body, "content_type": "application/json"} if method in {"post", "patch", "put"} else {}
        if body is None and extra:
            extra["data"] = ""
        return getattr(self, method)(path if path.startswith("/api/") else f"{ROOT}{path}", headers=sent, **extra)
