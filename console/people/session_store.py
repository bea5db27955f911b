"""Sessions in the database, under a digest of what the browser holds: who reads the table, or a copy of it, is signed in nowhere."""

from hashlib import sha256
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from console.models import SignIn


def stored(key: str) -> str:
    """The name under which the session of a browser's key is stored: SHA-256, 40 hex digits of it."""
    return sha256(key.encode()).hexdigest()[:40]


class SessionStore(DatabaseStore):
    def _get_session_from_db(self) -> AbstractBaseSession | None:
        found: AbstractBaseSession | None = self.model.objects.filter(
            session_key=stored(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(stored(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = stored(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(stored(key))

    def cycle_key(self) -> None:
        """A session that takes a new key (a changed password does that) stays the same sign-in."""
        before = self.session_key
        super().cycle_key()
        if before and self.session_key:
            SignIn.objects.of_session(stored(before)).update(session=stored(self.session_key))
