"""Structured logging: every line is an event with named facts, whether structlog or a library wrote it."""

import logging
import re
from typing import Any, Final

import structlog

SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)

HOOK_PATH: Final = re.compile(r"(/hooks/[a-z]+/)[^/\s?]{16,}")
QUERY: Final = re.compile(r"(/[^\s?]*\?)[^\s]+")
MASK: Final = "•••"


class HookSecrets(logging.Filter):
    """Some brokers can name their secret in the URL alone, and Django, gunicorn and runserver write URLs of requests that went wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str) and "/hooks/" in (message := record.getMessage()):
            record.msg, record.args = HOOK_PATH.sub(rf"\1{MASK}", message), ()
        if record.name.startswith("gunicorn") and "?" in (message := record.getMessage()):
            # What stands behind the question mark is what somebody typed.
            record.msg, record.args = QUERY.sub(rf"\1{MASK}", message), ()
        return True


def configure(*, level: str, json: bool) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": structlog.stdlib.ProcessorFormatter, "processors": _last(json), "foreign_pre_chain": SHARED}},
        "filters": {"hook_secrets": {"()": HookSecrets}},
        "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["hook_secrets"]}},
        "root": {"handlers": ["stream"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # A line for every regular job says nothing; what failed is logged as an error.
            "celery.worker.strategy": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
            "celery.app.trace": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
        },
    }


def _last(json: bool) -> list[Any]:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if json:
        return [remove, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [remove, structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
