"""Pools of MAC addresses (G7): a batch takes its whole range from one at its start, or learns at once how many are left."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from console import audit
from console.errors import Conflict, Exhausted, Invalid
from console.shared.actors import Actor
from console.words import say
from devices.models import Batch, MacBlockKind, MacPool
from devices.rules import macs
from devices.rules.macs import Block

HIGHEST_STRIDE = 16


class PoolExhausted(Exhausted):
    """The pool has not so many addresses left."""

    code = "pool_exhausted"


class PoolOverlaps(Conflict):
    """Another pool hands out some of these addresses."""

    code = "pool_overlaps"


class PoolNameTaken(Conflict):
    code = "pool_name_taken"
    default_message = "Another MAC pool has this name."


class PoolInUse(Conflict):
    code = "pool_in_use"
    default_message = "Batches have taken addresses from this pool: it stays, so that no address is handed out twice."


@dataclass(frozen=True, slots=True)
class NewPool:
    """`prefix` names a registered block; `first` and `last` (MAC addresses) cut a range out of it, or are the range of a private pool.

    `stride`: addresses that one device uses, of which the first is its DeviceName. `reserve`: devices at the start that are not handed out.
    """

    name: str
    kind: str
    prefix: str = ""
    first: str = ""
    last: str = ""
    stride: int = 1
    reserve: int = 0


@transaction.atomic
def create(new: NewPool, *, by: Actor, at: datetime) -> MacPool:
    """Raises Invalid (BadMac among them), PoolOverlaps or PoolNameTaken. Locks the pools against one another until the transaction ends."""
    name = new.name.strip()
    if not 1 <= len(name) <= 64:
        raise Invalid("A MAC pool needs a name of at most 64 characters.", field="name")
    if not 1 <= new.stride <= HIGHEST_STRIDE:
        raise Invalid(say("A device uses 1 to {most} addresses.", most=HIGHEST_STRIDE), field="stride")
    block = _block(new).aligned(new.stride)
    devices = len(block) // new.stride
    if not 0 <= new.reserve < devices:
        raise Invalid(say("The range holds {devices:,} devices: reserve fewer, at least none.", devices=devices), field="reserve")
    _one_at_a_time()
    _refuse_overlap(block)
    pool = _insert(
        MacPool(
            name=name,
            kind=new.kind,
            prefix=macs.prefix_of(new.kind, new.prefix),
            first=block.first,
            last=block.last,
            next=block.first + new.reserve * new.stride,
            stride=new.stride,
        )
    )
    facts = {"first": macs.from_number(block.first), "last": macs.from_number(block.last), "stride": new.stride, "reserve": new.reserve}
    audit.record("mac_pool.create", pool, by=by, at=at, after=facts)
    return pool


def reserve(pool_id: int, count: int, *, by: Actor, at: datetime) -> tuple[int, int]:
    """The first of `count` addresses that are nobody else's from now on, and the step from one to the next; within the caller's
    transaction, which locks the pool until it ends. Raises PoolExhausted."""
    span = F("stride") * count
    if not MacPool.objects.filter(pk=pool_id, next__lte=F("last") + 1 - span).update(next=F("next") + span):
        check(MacPool.objects.get(pk=pool_id), count)
        raise PoolExhausted("Another batch took the last addresses of the pool meanwhile.", field="mac_pool")
    pool = MacPool.objects.get(pk=pool_id)
    first = pool.next - pool.stride * count
    taken = {"first": macs.from_number(first), "last": macs.from_number(pool.next - pool.stride), "left": pool.left}
    audit.record("mac_pool.reserve", pool, by=by, at=at, after=taken, count=count)
    return first, pool.stride


def check(pool: MacPool, count: int) -> None:
    """Whether there are enough as things stand. Raises PoolExhausted, which says how many are left."""
    if pool.left < count:
        words = "The pool {pool} has {left:,} MAC addresses left; {asked:,} were asked for."
        raise PoolExhausted(say(words, pool=pool.name, left=pool.left, asked=count), field="mac_pool", facts={"left": pool.left})


@transaction.atomic
def remove(pool_id: int, *, by: Actor, at: datetime) -> None:
    """A pool that no batch has used. Raises PoolInUse."""
    pool = MacPool.objects.select_for_update().get(pk=pool_id)
    if Batch.objects.filter(mac_pool=pool).exists():
        raise PoolInUse
    audit.record("mac_pool.remove", pool, by=by, at=at, before={"first": macs.from_number(pool.first), "last": macs.from_number(pool.last)})
    pool.delete()


def _block(new: NewPool) -> Block:
    """Raises Invalid."""
    if new.kind == MacBlockKind.PRIVATE:
        return macs.private_block(new.first, new.last)
    whole = macs.registered_block(new.kind, new.prefix)
    part = Block(
        macs.to_number(macs.normalise(new.first)) if new.first.strip() else whole.first,
        macs.to_number(macs.normalise(new.last)) if new.last.strip() else whole.last,
    )
    if part.first > part.last:
        raise Invalid("The range ends before it starts.", field="last")
    if not part.within(whole):
        raise Invalid(
            say("The range leaves the block {first} to {last}.", first=macs.from_number(whole.first), last=macs.from_number(whole.last)),
            field="last" if part.first >= whole.first else "first",
        )
    return part


def _one_at_a_time() -> None:
    """Two overlapping pools made at once would not see each other. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(MacPool._meta.db_table)} IN SHARE ROW EXCLUSIVE MODE")


def _refuse_overlap(block: Block) -> None:
    other = MacPool.objects.filter(first__lte=block.last, last__gte=block.first).first()
    if other is not None:
        words = "The pool {pool} hands out addresses of this range already: it has {first} to {last}."
        span = {"first": macs.from_number(other.first), "last": macs.from_number(other.last)}
        raise PoolOverlaps(say(words, pool=other.name, **span), field="first")


def _insert(pool: MacPool) -> MacPool:
    try:
        with transaction.atomic():
            pool.save(force_insert=True)
    except IntegrityError as error:
        raise PoolNameTaken(field="name") from error
    return pool
