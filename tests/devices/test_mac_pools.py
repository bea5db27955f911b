"""Pools of MAC addresses: blocks, ranges, alignment, and ranges that are nobody else's (G7)."""

import pytest
from django.test import Client

from console.errors import Invalid
from console.models import AuditEntry
from devices.models import MacPool
from devices.rules import macs
from devices.services import batches, mac_pools
from devices.services.batches import NewBatch
from devices.services.mac_pools import NewPool, PoolExhausted, PoolInUse, PoolNameTaken, PoolOverlaps
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = pytest.mark.django_db


def pool(**facts: object) -> MacPool:
    new = {"name": "Ours", "kind": "MA-L", "prefix": "A4:DA:32"} | facts
    return mac_pools.create(NewPool(**new), by=OPERATOR, at=NOON)


def take(pool: MacPool, count: int) -> tuple[str, int]:
    first, stride = mac_pools.reserve(pool.pk, count, by=OPERATOR, at=NOON)
    return macs.from_number(first), stride


@pytest.mark.parametrize(
    ("kind", "prefix", "first", "last", "size"),
    [
        ("MA-L", "a4-da-32", "A4DA32000000", "A4DA32FFFFFF", 1 << 24),
        ("MA-M", "A4DA32B", "A4DA32B00000", "A4DA32BFFFFF", 1 << 20),
        ("MA-S", "70B3D5F2E", "70B3D5F2E000", "70B3D5F2EFFF", 1 << 12),
    ],
)
def test_a_registered_prefix_gives_its_whole_block(kind: str, prefix: str, first: str, last: str, size: int) -> None:
    made = pool(kind=kind, prefix=prefix)
    assert (macs.from_number(made.first), macs.from_number(made.last), made.size, made.left) == (first, last, size, size)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"prefix": "A4DA3"}, "prefix"),
        ({"prefix": "A5DA32"}, "prefix"),
        ({"prefix": "A6DA32"}, "prefix"),
        ({"kind": "MA-M"}, "prefix"),
        ({"kind": "private", "first": "A4DA32000000", "last": "A4DA320000FF"}, "first"),
        ({"kind": "private", "first": "A6DA320000FF", "last": "A6DA32000000"}, "last"),
        ({"first": "A4DA31FFFFFF"}, "first"),
        ({"last": "A4DA33000000"}, "last"),
        ({"first": "A4DA32000010", "last": "A4DA32000001"}, "last"),
        ({"first": "A4DA32000001", "last": "A4DA32000002", "stride": 4}, "last"),
        ({"stride": 0}, "stride"),
        ({"stride": 17}, "stride"),
        ({"first": "A4DA32000000", "last": "A4DA320000FF", "reserve": 256}, "reserve"),
        ({"reserve": -1}, "reserve"),
        ({"name": "  "}, "name"),
    ],
)
def test_it_refuses_a_range_that_is_not_one(facts: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        pool(**facts)
    assert refusal.value.field == field
    assert not MacPool.objects.exists()


def test_a_private_range_is_locally_administered() -> None:
    made = pool(kind="private", prefix="", first="02:00:00:00:00:00", last="02:00:00:00:00:FF")
    assert made.size == 256
    assert made.prefix == ""


def test_addresses_are_cut_to_whole_devices_at_multiples_of_the_stride() -> None:
    made = pool(first="A4DA32000001", last="A4DA32000012", stride=4)
    assert (macs.from_number(made.first), macs.from_number(made.last), made.size) == ("A4DA32000004", "A4DA3200000F", 3)
    assert take(made, 3) == ("A4DA32000004", 4)
    with pytest.raises(PoolExhausted):
        take(made, 1)


def test_the_reserve_at_the_start_is_not_handed_out() -> None:
    made = pool(reserve=256, stride=2)
    assert take(made, 1) == ("A4DA32000200", 2)


def test_it_refuses_a_pool_that_overlaps_another() -> None:
    pool(first="A4DA32000000", last="A4DA320000FF")
    pool(name="Next door", first="A4DA32000100", last="A4DA320001FF")
    with pytest.raises(PoolOverlaps, match="Ours"):
        pool(name="Third", first="A4DA320000F0", last="A4DA320000F7")
    with pytest.raises(PoolOverlaps):
        pool(name="All of it")


def test_it_refuses_a_second_pool_of_one_name() -> None:
    pool()
    with pytest.raises(PoolNameTaken):
        pool(prefix="A4DA33")


def test_ranges_follow_one_another_without_a_gap() -> None:
    made = pool(first="A4DA32000000", last="A4DA320000FF")
    assert [take(made, 10)[0], take(made, 5)[0], take(made, 1)[0]] == ["A4DA32000000", "A4DA3200000A", "A4DA3200000F"]
    made.refresh_from_db()
    assert made.left == 240


def test_it_refuses_more_than_are_left_and_says_how_many() -> None:
    made = pool(first="A4DA32000000", last="A4DA320000FF")
    take(made, 200)
    with pytest.raises(PoolExhausted, match="has 56 MAC addresses left; 57 were asked for"):
        take(made, 57)
    assert take(made, 56)[0] == "A4DA320000C8"
    with pytest.raises(PoolExhausted, match="has 0"):
        take(made, 1)


def test_the_last_address_of_all_can_be_handed_out() -> None:
    made = pool(kind="private", prefix="", first="FEFFFFFFFFFE", last="FEFFFFFFFFFF")
    assert take(made, 2)[0] == "FEFFFFFFFFFE"


def test_making_and_reserving_leave_audit_lines() -> None:
    take(pool(), 3)
    made, reserved = AuditEntry.objects.order_by("id")
    assert (made.action, made.after["first"], made.actor_name) == ("mac_pool.create", "A4DA32000000", "olga")
    assert (reserved.action, reserved.after["last"], reserved.count) == ("mac_pool.reserve", "A4DA32000002", 3)


def test_an_unused_pool_can_be_removed_and_a_used_one_not() -> None:
    unused, used = pool(), pool(name="Used", prefix="A4DA33")
    batches.request(cast.kettle().pk, NewBatch(source="automatic", quantity=5, mac_pool_id=used.pk), by=OPERATOR, at=NOON)
    mac_pools.remove(unused.pk, by=OPERATOR, at=NOON)
    with pytest.raises(PoolInUse):
        mac_pools.remove(used.pk, by=OPERATOR, at=NOON)
    assert list(MacPool.objects.values_list("name", flat=True)) == ["Used"]


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(cast.administrator())
    return client


def test_a_pool_is_added_and_shown(boss: Client) -> None:
    facts = {"name": "Line 1", "kind": "MA-M", "registered_prefix": "A4:DA:32:B", "first": "", "last": "", "stride": "2", "reserve": "16"}
    answer = boss.post("/devices/macpool/add/", facts)
    made_pool = MacPool.objects.get()
    assert answer.headers["Location"] == f"/devices/macpool/{made_pool.pk}/change/"
    page = boss.get(answer.headers["Location"]).content.decode()
    assert "A4DA32B00020" in page
    assert "524,272 / 524,288" in page


@pytest.mark.parametrize(
    ("change", "words"), [({"registered_prefix": "A4DA3"}, "has 7 hex digits"), ({"stride": "17"}, "less than or equal to 16")]
)
def test_it_refuses_a_pool_at_its_field(boss: Client, change: dict[str, str], words: str) -> None:
    facts = {"name": "Line 1", "kind": "MA-M", "registered_prefix": "A4DA32B", "stride": "1", "reserve": "0"} | change
    assert words in boss.post("/devices/macpool/add/", facts).content.decode()
    assert not MacPool.objects.exists()


def test_an_unused_pool_is_removed_on_its_page(boss: Client) -> None:
    addresses = pool()
    boss.post(f"/devices/macpool/{addresses.pk}/do/remove/")
    assert not MacPool.objects.exists()
