"""The parts of a configuration that an operator pastes."""

from dataclasses import dataclass
from typing import Any, Final

PLACEHOLDER: Final = "HOOK-SECRET"


@dataclass(frozen=True, slots=True)
class Lines:
    """One file's part. `file`: its name, or a shell."""

    file: str
    text: str
    about: Any = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a broker asks. `base`: scheme, host and port under which it reaches the console; `secret` or PLACEHOLDER."""

    base: str
    kind: str
    secret: str

    def path(self, call: str = "") -> str:
        return "/".join(part for part in ("/hooks", self.kind, self.secret, call) if part)

    def url(self, call: str = "") -> str:
        return self.base + self.path(call)
