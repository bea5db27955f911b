"""The one family of expected errors. A child is named after the fact; doors translate, nobody else knows HTTP or a vendor's number."""

from collections.abc import Mapping
from typing import ClassVar

from console.words import Sentence


class DomainError(Exception):
    """Something an operator or a device can be told. `message` is a whole sentence in words for an operator and never holds a secret."""

    code: ClassVar[str] = "domain_error"
    default_message: ClassVar[str] = "The request cannot be carried out."
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", *, field: str = "", facts: Mapping[str, object] | None = None) -> None:
        """`message`: a fixed text, or say(...) where facts stand in it. `field` names the input at fault; `facts` are plain values for a
        log."""
        self.message = message if isinstance(message, Sentence) else str(message) or str(self.default_message)
        self.field = field
        self.facts = dict(facts or {})
        super().__init__(self.message)


class Invalid(DomainError):
    """An input breaks a rule of its form."""

    code = "invalid"
    default_message = "The value is not valid."


class NotFound(DomainError):
    """What was named does not exist."""

    code = "not_found"
    default_message = "There is no such thing."


class Conflict(DomainError):
    """The state of things forbids it now."""

    code = "conflict"
    default_message = "The present state does not allow this."


class Forbidden(DomainError):
    """The caller may not do this."""

    code = "forbidden"
    default_message = "This is not allowed."


class Exhausted(DomainError):
    """A limited supply (quota, codes, addresses) does not hold what was asked for."""

    code = "exhausted"
    default_message = "There is not enough left."


class Unavailable(DomainError):
    """A part that is needed does not answer; the same request may succeed later."""

    code = "unavailable"
    default_message = "This cannot be done at the moment."
    retryable = True
