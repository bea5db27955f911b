"""What a device's page shows of its physical devices: who is and was connected, from where, and how the orders to cut stand (A11, N8)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from string import ascii_uppercase
from typing import Any

from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from devices.models import ClientIdentity, Connection, ConnectionEnd, Device, DisconnectOrder, IdentityStatus
from devices.rules import timeline
from products.models import Broker, BrokerKind

MOST_IDENTITIES = 60
MOST_CONNECTIONS = 200
MOST_ORDERS = 20
ORDERS_SHOWN = timedelta(hours=24)
"""How long the page keeps showing an order that is done."""
STATUS_KINDS = {IdentityStatus.ALLOWED: "green", IdentityStatus.SWITCHED_OFF: "red", IdentityStatus.CLEARED: "red"}
ORDER_KINDS = {"waiting": "blue", "unreachable": "red", "cut": "green", "gone": "grey", "next_connect": "amber"}
ORDER_WORDS = {
    "waiting": _("Waiting"),
    "unreachable": _("Broker unreachable"),
    "cut": _("Cut off"),
    "gone": _("Had left already"),
    "next_connect": _("Takes effect at its next connection"),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """A connection with its broker. `tag`: the letter of its physical device on the page. `together`: those connected meanwhile."""

    connection: Connection
    broker: Broker | None
    tag: str
    place: str
    together: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Connected now, as far as the broker tells."""
        return self.connection.is_open and self.tells

    @property
    def is_undecided(self) -> bool:
        """It came, and nobody says whether it has left."""
        return self.connection.is_open and not self.tells

    @property
    def tells(self) -> bool:
        return self.broker is not None and self.broker.tells_departures

    @property
    def can_be_cut(self) -> bool:
        """At once; elsewhere a forbidden device is refused when it connects next."""
        return can_cut(self.broker)

    @property
    def effect(self) -> Any:
        """What Switch or Clear does to it."""
        if self.can_be_cut:
            return _("cut off at once")
        if self.broker is not None and self.broker.can_drop:
            return _("cut off when the address of the broker's management is set")
        return _("takes effect when it connects next: this broker cannot drop a client")

    @property
    def stay(self) -> timeline.Stay:
        here = self.connection
        credential = self.place if here.identity_id else ""
        return timeline.Stay(
            place=self.place,
            begin=here.connected_at,
            end=here.disconnected_at,
            end_known=self.tells and here.ended != ConnectionEnd.LOST,
            credential=credential,
            address=here.address or "",
            taken_over=here.ended in (ConnectionEnd.TAKEN_OVER, ConnectionEnd.CUT),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """An identity of the name with its open connections."""

    identity: ClientIdentity
    tag: str
    visits: tuple[Visit, ...]

    @property
    def kind(self) -> str:
        return STATUS_KINDS[IdentityStatus(self.identity.status)] if self.identity.first_connected_at or not self.is_allowed else "grey"

    @property
    def words(self) -> Any:
        return self.identity.get_status_display() if self.identity.first_connected_at or not self.is_allowed else _("Issued, never used")

    @property
    def is_allowed(self) -> bool:
        return self.identity.is_allowed

    @property
    def is_cleared(self) -> bool:
        return self.identity.status == IdentityStatus.CLEARED

    @property
    def is_here(self) -> bool:
        return any(visit.is_here for visit in self.visits)


@dataclass(frozen=True, slots=True)
class Order:
    """An order to cut as the page tells of it."""

    order: DisconnectOrder
    broker: Broker | None
    tag: str

    @property
    def kind(self) -> str:
        return ORDER_KINDS[self.order.state]

    @property
    def words(self) -> Any:
        return ORDER_WORDS[self.order.state]


@dataclass(frozen=True, slots=True)
class Presence:
    """`visits`: newest first, at most MOST_CONNECTIONS. `more`: there are older ones."""

    identities: tuple[Known, ...]
    visits: tuple[Visit, ...]
    orders: tuple[Order, ...]
    more: bool

    @property
    def here(self) -> tuple[Visit, ...]:
        return tuple(visit for visit in self.visits if visit.is_here)

    @property
    def devices_here(self) -> int:
        """How many physical devices are connected for certain: each has a ClientID of its own."""
        return len({visit.place for visit in self.here if visit.connection.identity_id})

    @property
    def undecided(self) -> tuple[Visit, ...]:
        return tuple(visit for visit in self.visits if visit.is_undecided)

    @property
    def standing(self) -> tuple[Known, ...]:
        """Not cleared: Switch can keep them, Clear forbids them."""
        return tuple(known for known in self.identities if not known.is_cleared)

    @property
    def is_live(self) -> bool:
        """Something on the page will change soon."""
        return any(order.order.done_at is None for order in self.orders)

    @property
    def version(self) -> str:
        """Changes when the page has something new to show."""
        orders = [f"{one.order.pk}={one.order.outcome}{one.order.attempts}" for one in self.orders]
        return "|".join([*orders, *(f"{one.connection.pk}" for one in self.visits if one.connection.is_open)])


def of(device: Device, *, at: datetime) -> Presence:
    """Four short questions, whatever the device's history."""
    identities = list(ClientIdentity.objects.of(device).order_by("-pk")[:MOST_IDENTITIES])[::-1]
    connections = list(Connection.objects.of(device).select_related("identity")[: MOST_CONNECTIONS + 1])
    recent = DisconnectOrder.objects.of(device).filter(Q(done_at=None) | Q(done_at__gte=at - ORDERS_SHOWN))
    orders = list(recent.order_by("-pk")[:MOST_ORDERS])
    brokers = Broker.objects.in_bulk({one.broker_id for one in connections} | {one.broker_id for one in orders})
    tags = _tags(identities, [_place(one) for one in reversed(connections)])
    visits = _visits(connections[:MOST_CONNECTIONS], tags, brokers, at)
    return Presence(
        identities=tuple(_known(identity, tags, visits) for identity in identities),
        visits=visits,
        orders=tuple(Order(one, brokers.get(one.broker_id), tags.get(one.client_id or str(one.address), "")) for one in orders),
        more=len(connections) > MOST_CONNECTIONS,
    )


def can_cut(broker: Broker | None) -> bool:
    """Whether its clients can be dropped: some kinds cannot, others need to know where to ask."""
    return broker is not None and broker.can_drop and (broker.kind == BrokerKind.EMBEDDED or bool(broker.management_url))


def timeline_of(presence: Presence, *, at: datetime, span: timedelta | None = None) -> timeline.Timeline:
    return timeline.draw([visit.stay for visit in presence.visits], now=localtime(at), span=span)


def _tags(identities: Iterable[ClientIdentity], places: Iterable[str]) -> dict[str, str]:
    """A letter for each physical device, in the order of their coming: A to Z, then A1 and on."""
    found: dict[str, str] = {}
    for place in [*(identity.client_id for identity in identities), *places]:
        turn, letter = divmod(len(found), len(ascii_uppercase))
        found.setdefault(place, ascii_uppercase[letter] + (str(turn) if turn else ""))
    return found


def _place(connection: Connection) -> str:
    """What tells physical devices apart: the ClientID, or the address where they share a DeviceSecret."""
    return connection.identity.client_id if connection.identity else str(connection.address or connection.mqtt_client_id)


def _known(identity: ClientIdentity, tags: dict[str, str], visits: Iterable[Visit]) -> Known:
    own = (visit for visit in visits if visit.connection.is_open and visit.connection.identity_id == identity.pk)
    return Known(identity, tags[identity.client_id], tuple(own))


def _visits(connections: list[Connection], tags: dict[str, str], brokers: dict[int, Broker], at: datetime) -> tuple[Visit, ...]:
    visits = [Visit(one, brokers.get(one.broker_id), tags[_place(one)], _place(one)) for one in connections]
    together = timeline.together([visit.stay for visit in visits], now=at)
    return tuple(
        replace(visit, together=tuple(sorted(tags[place] for place in places))) for visit, places in zip(visits, together, strict=True)
    )
