"""The number of the request that this thread is answering: one for its log lines, its device log entry and its answer."""

from contextvars import ContextVar
from uuid import UUID, uuid4

import structlog

_current: ContextVar[UUID | None] = ContextVar("request_id", default=None)


def begin() -> UUID:
    """A new number, at the very start of a request. What a client sends is not taken over: two requests would have one number."""
    number = uuid4()
    _current.set(number)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=str(number))
    return number


def end() -> None:
    _current.set(None)
    structlog.contextvars.clear_contextvars()


def current() -> UUID:
    """That of the request, or a new one where nothing has begun (MQTT, commands)."""
    return _current.get() or uuid4()
