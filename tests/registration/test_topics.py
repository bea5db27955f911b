"""A device may publish and subscribe under its own names only (T1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registration.protocols.topics import Action, may, patterns
from tests.registration.golden_mqtt import CONNECTIONS

PK, DN = "a1ExpAkj9Hi", "dev0001"
ALLOWED: list[tuple[Action, str]] = [
    ("publish", f"/sys/{PK}/{DN}/thing/event/property/post"),
    ("publish", f"/sys/{PK}/{DN}/rrpc/response/1234"),
    ("subscribe", f"/sys/{PK}/{DN}/rrpc/request/+"),
    ("subscribe", f"/sys/{PK}/{DN}/#"),
    ("publish", f"/{PK}/{DN}/user/update"),
    ("subscribe", f"/{PK}/{DN}/user/get"),
    ("publish", f"/ota/device/inform/{PK}/{DN}"),
    ("publish", f"/ota/device/progress/{PK}/{DN}"),
    ("subscribe", f"/ota/device/upgrade/{PK}/{DN}"),
    ("publish", f"/shadow/update/{PK}/{DN}"),
    ("subscribe", f"/shadow/get/{PK}/{DN}"),
    ("publish", f"/ext/ntp/{PK}/{DN}/request"),
    ("subscribe", f"/ext/ntp/{PK}/{DN}/response"),
    ("subscribe", f"/ext/rrpc/+/{PK}/{DN}/user/get"),
    ("publish", f"/ext/rrpc/77/{PK}/{DN}/user/get"),
    ("subscribe", f"/ext/error/{PK}/{DN}"),
    ("subscribe", f"/broadcast/{PK}/all"),
    ("publish", f"$thing/up/property/{PK}/{DN}"),
    ("subscribe", f"$thing/down/action/{PK}/{DN}"),
    ("publish", f"$ota/report/{PK}/{DN}"),
    ("subscribe", f"$ota/update/{PK}/{DN}"),
    ("publish", f"$shadow/operation/{PK}/{DN}"),
    ("subscribe", f"$shadow/operation/result/{PK}/{DN}"),
    ("subscribe", f"$rrpc/rxd/{PK}/{DN}/+"),
    ("publish", f"$rrpc/txd/{PK}/{DN}/88"),
    ("subscribe", f"$broadcast/rxd/{PK}/{DN}"),
    ("publish", f"{PK}/{DN}/data"),
    ("subscribe", f"{PK}/{DN}/control"),
    ("subscribe", f"{PK}/{DN}/#"),
]
REFUSED: list[tuple[Action, str]] = [
    ("subscribe", "#"),
    ("subscribe", "+/+/#"),
    ("subscribe", "/#"),
    ("subscribe", "/sys/#"),
    ("subscribe", f"/sys/{PK}/#"),
    ("subscribe", f"/sys/{PK}/+/thing/event/property/post"),
    ("subscribe", f"/sys/+/{DN}/thing/event/property/post"),
    ("subscribe", f"/+/{PK}/{DN}/thing"),
    ("subscribe", f"{PK}/+/control"),
    ("subscribe", f"+/{DN}/control"),
    ("subscribe", f"{PK}/#"),
    ("subscribe", f"$thing/down/+/{PK}/{DN}"),
    ("subscribe", f"$thing/down/property/{PK}/+"),
    ("subscribe", "$SYS/#"),
    ("subscribe", f"$share/group/{PK}/{DN}/control"),
    ("subscribe", f"$queue/{PK}/{DN}/control"),
    ("subscribe", "/broadcast/+/all"),
    ("subscribe", "/broadcast/other/all"),
    ("subscribe", "/ext/rrpc/#"),
    ("subscribe", f"/ext/rrpc/+/{PK}/other/user/get"),
    ("subscribe", f"/ext/rrpc/+/+/{DN}/user/get"),
    ("subscribe", f"/ext/rrpc/a/b/{PK}/{DN}/user/get"),
    ("subscribe", "/ext/register"),
    ("subscribe", "/ext/regnwl"),
    ("publish", "/ext/register"),
    ("publish", f"/sys/{PK}/other/thing/event/property/post"),
    ("publish", f"/sys/other/{DN}/thing/event/property/post"),
    ("publish", f"/sys/{PK}/{DN}x/thing"),
    ("publish", f"/sys/{PK}/{DN}/+/post"),
    ("publish", f"/sys/{PK}/{DN}/#"),
    ("publish", f"/{PK}/other/user/update"),
    ("publish", f"/broadcast/{PK}/all"),
    ("publish", f"/shadow/get/{PK}/{DN}"),
    ("publish", f"/ota/device/upgrade/{PK}/{DN}"),
    ("publish", f"$ota/update/{PK}/{DN}"),
    ("publish", f"$thing/down/property/{PK}/{DN}"),
    ("publish", f"$thing/up/property/{PK}/{DN}/more"),
    ("publish", f"{PK}/other/data"),
    ("publish", f"{PK}"),
    ("publish", ""),
    ("publish", f"{PK}/{DN}/" + "x" * 512),
    ("publish", f"{PK}/{DN}/\0"),
    ("subscribe", f"{PK}/{DN}/#/more"),
    ("subscribe", f"{PK}/{DN}/a#"),
    ("subscribe", f"{PK}/{DN}/a+"),
    ("subscribe", f"{PK.lower()}/{DN}/control"),
]


@pytest.mark.parametrize(("action", "topic"), ALLOWED)
def test_a_device_may_use_its_own_topics(action: Action, topic: str) -> None:
    assert may(PK, DN, action, topic)


@pytest.mark.parametrize(("action", "topic"), REFUSED)
def test_a_device_may_not_use_others_topics(action: Action, topic: str) -> None:
    assert not may(PK, DN, action, topic)


@pytest.mark.parametrize(("action", "topic"), [*ALLOWED])
def test_what_is_one_devices_is_not_anothers(action: Action, topic: str) -> None:
    assert not may(PK, "other", action, topic) or topic.startswith("/broadcast/")
    assert not may("other", DN, action, topic)


def test_it_allows_everything_that_a_real_sdk_subscribes_to() -> None:
    seen = [(golden, topic) for golden in CONNECTIONS for topic in golden.subscribes]
    assert len(seen) >= 30
    for golden, topic in seen:
        assert may(golden.product_key, golden.device_name, "subscribe", topic), topic


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a+", "$SYS", "a\0", "{names}"])
def test_a_name_that_would_be_a_wildcard_has_no_topics(name: str) -> None:
    assert patterns(PK, name) == patterns(name, DN) == ()
    assert not may(PK, name, "publish", f"{PK}/{name}/data")


def test_no_pattern_has_a_wildcard_before_the_devices_names_but_the_number_of_a_call() -> None:
    for _action, pattern in patterns(PK, DN):
        before = pattern.partition(PK)[0]
        assert "#" not in before
        assert "+" not in before or before == "/ext/rrpc/+/"


@given(topic=st.text(max_size=60), action=st.sampled_from(["publish", "subscribe"]))
def test_it_never_fails_and_never_allows_a_topic_without_the_product(topic: str, action: Action) -> None:
    assert not may(PK, DN, action, topic) or PK in topic


@given(levels=st.lists(st.sampled_from(["", "sys", PK, DN, "other", "+", "#", "$thing", "up", "property", "ext", "rrpc", "x"]), max_size=7))
def test_nothing_is_allowed_that_reaches_another_devices_topic(levels: list[str]) -> None:
    """Whatever one device may subscribe to, no topic that another one publishes to is in it."""
    wanted = "/".join(levels)
    if may(PK, DN, "subscribe", wanted):
        for foreign in (f"/sys/{PK}/other/x", f"/{PK}/other/x", f"{PK}/other/x", f"/sys/other/{DN}/x", f"$thing/up/property/{PK}/other"):
            assert not matches(wanted.split("/"), foreign.split("/"))


def matches(wanted: list[str], topic: list[str]) -> bool:
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(topic) or level not in ("+", topic[place]):
            return False
    return len(wanted) == len(topic)
