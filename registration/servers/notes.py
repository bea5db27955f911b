"""The log entries about clients that were turned away, so few that a flood of them cannot fill the log."""

import logging
from collections.abc import Callable
from typing import Final

from console.errors import DomainError

log = logging.getLogger(__name__)

BURST: Final = 30
PER_SECOND: Final = 1.0

Write = Callable[[DomainError, str, str, int], None]
"""(why, host that was called, address, how many before this one got no entry)."""


class Notes:
    """As many entries at once as `BURST`, and one more each second. Used by one thread, the event loop's."""

    def __init__(self, write: Write, clock: Callable[[], float]) -> None:
        """`clock`: seconds, only ever growing. `write` must not block."""
        self._write = write
        self._clock = clock
        self._left = float(BURST)
        self._at = clock()
        self.left_out = 0

    def note(self, error: DomainError, host: str, address: str) -> None:
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            self.left_out += 1
            return
        self._left -= 1
        left_out, self.left_out = self.left_out, 0
        self._write(error, host, address, left_out)

    def tell(self) -> None:
        """Those of whom no entry has told yet go to the server's log; called now and then."""
        if self.left_out:
            log.warning("%d more MQTT clients were turned away than the device log has entries of.", self.left_out)
            self.left_out = 0
