"""What needs somebody's attention: each floor registers small providers, and the home page asks all of them.

A provider answers fast at any size: it counts no further than a limit, by an index that holds little else.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Words = Any
"""A text in the operator's language: str or a lazy translation."""

DANGER, WARNING = "danger", "warning"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """`title`: what is the matter; `sentence`: what it means and what to do; `url`: where, with `label` on its button.

    `count`: how many there are, 0 where counting makes no sense; `at_least`: the true number is higher. `severity`: DANGER for what is
    broken or unsafe now, WARNING for what will be.
    """

    title: Words
    sentence: Words
    url: str = ""
    label: Words = ""
    count: int = 0
    at_least: bool = False
    severity: str = WARNING


Provider = Callable[[Any, datetime], Iterable[Alert]]
"""(user, at) → what this person may know of it; nothing where there is nothing, or where he may not."""

_providers: list[Provider] = []


def attention(provider: Provider) -> Provider:
    """Registers a provider."""
    _providers.append(provider)
    return provider


def alerts(user: Any, at: datetime) -> list[Alert]:
    """The dangers first, each part in the order in which its providers were registered."""
    return sorted(_asked(user, at), key=lambda alert: alert.severity != DANGER)


def _asked(user: Any, at: datetime) -> Iterator[Alert]:
    for provider in _providers:
        yield from provider(user, at)
