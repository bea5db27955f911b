"""How much strangers may take: connections in all, and unfinished ones from one address. Used by one thread, the event loop's."""

from collections import Counter
from collections.abc import Sequence

from console.shared.addresses import is_trusted


class Bounds:
    """`trusted`: addresses of proxies, behind which are many devices; only what they say for a device counts against an address."""

    def __init__(self, *, connections: int, waiting_per_address: int, trusted: Sequence[str] = ()) -> None:
        self.connections = connections
        self.waiting_per_address = waiting_per_address
        self.trusted = tuple(trusted)
        self.open = 0
        self.waiting: Counter[str] = Counter()

    def place(self) -> "Place | None":
        """Room for one more connection, or None."""
        if self.open >= self.connections:
            return None
        self.open += 1
        return Place(self)


class Place:
    """What one connection takes, until it leaves."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._address = ""
        self._left = False

    def wait(self, address: str) -> bool:
        """Whether this address may have one more connection that has not said who it is."""
        waiting = self._bounds.waiting
        if is_trusted(address, self._bounds.trusted):
            return True
        if waiting[address] >= self._bounds.waiting_per_address:
            return False
        self._address = address
        waiting[address] += 1
        return True

    def arrived(self) -> None:
        """It has said who it is. An address that waits for nothing is forgotten, or the table would grow with every stranger."""
        if not self._address:
            return
        waiting = self._bounds.waiting
        waiting[self._address] -= 1
        if not waiting[self._address]:
            del waiting[self._address]
        self._address = ""

    def leave(self) -> None:
        """May be called twice."""
        if not self._left:
            self._left = True
            self._bounds.open -= 1
            self.arrived()
