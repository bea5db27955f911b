"""Which kinds of long work there are: each floor registers its own, and the jobs page asks for all of them.

The page knows nothing of batches or workbooks: a kind says who may see its rows, what to call one of them, and which service ends it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console.shared.jobs import Job, JobState

Words = Any
"""A text in the operator's language: str or a lazy translation."""


def _not_asked_to_end(job: Any) -> bool:
    return not job.is_over and not job.cancel_requested


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """`title`: what it is, `label`: which one. `permission`: who sees its rows. `page`: the address of a row's own page.

    `product_field`: the way from a row to its product's number ("product_id", "batch__product_id"), empty where it has none.
    `cancel(pk, reason=, by=, at=)`: the service that ends it, None where nothing does; `cancel_permission`: who may.
    `may_cancel`: whether it can be ended now. `cancel_words`: what becomes of what is done already. `doing`: what it does at present,
    where a row does one thing after the other. `related`: what `label`, `page` and `doing` reach, in select_related's form.
    """

    model: type[Job]
    title: Words
    permission: str
    page: Callable[[Any], str]
    label: Callable[[Any], str]
    product_field: str = ""
    cancel: Callable[..., Any] | None = None
    cancel_permission: str = ""
    may_cancel: Callable[[Any], bool] = _not_asked_to_end
    cancel_words: Words = ""
    doing: Callable[[Any], Words] | None = None
    related: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """In URLs: the model's name."""
        return str(self.model._meta.model_name)

    def may_see(self, user: Any) -> bool:
        return bool(user.has_perm(self.permission))

    def may_be_cancelled(self, user: Any, job: Any) -> bool:
        return self.cancel is not None and bool(user.has_perm(self.cancel_permission)) and self.may_cancel(job)


UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)

_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> JobKind:
    """Once for each model; the later word counts."""
    _kinds[kind.name] = kind
    return kind


def kinds() -> tuple[JobKind, ...]:
    """In the order in which they were registered."""
    return tuple(_kinds.values())


def kind_named(name: str) -> JobKind | None:
    return _kinds.get(name)
