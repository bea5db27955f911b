"""What a connected device may publish and subscribe to: topics with its own ProductKey and DeviceName in their places, and no others.

Sources: the topic lists of Alibaba's "Topics" page and of Tencent's "Topic permissions", and what the SDKs of both subscribe to after
their CONNACK (tests/registration/vectors/alibaba.json). A pattern has no wildcard before the device's own names, but for Alibaba's
`/ext/rrpc/+/...`, where exactly one level, the number of a call, comes before them.
"""

from functools import lru_cache
from typing import Final, Literal

Action = Literal["publish", "subscribe"]
BOTH: Final = ("publish", "subscribe")
PUBLISH: Final = ("publish",)
SUBSCRIBE: Final = ("subscribe",)

PATTERNS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    # Alibaba
    (BOTH, "/sys/{names}/#"),
    (BOTH, "/{names}/#"),
    (PUBLISH, "/ota/device/inform/{names}"),
    (PUBLISH, "/ota/device/progress/{names}"),
    (BOTH, "/ota/device/request/{names}"),
    (SUBSCRIBE, "/ota/device/upgrade/{names}"),
    (PUBLISH, "/shadow/update/{names}"),
    (SUBSCRIBE, "/shadow/get/{names}"),
    (BOTH, "/ext/session/{names}/#"),
    (BOTH, "/ext/ntp/{names}/#"),
    (BOTH, "/ext/rrpc/+/{names}/#"),
    (SUBSCRIBE, "/ext/error/{names}"),
    (SUBSCRIBE, "/broadcast/{product}/#"),
    # Tencent and native
    (BOTH, "{names}/#"),
    # Tencent
    *((PUBLISH, f"$thing/up/{kind}/{{names}}") for kind in ("property", "event", "action", "service", "raw")),
    *((SUBSCRIBE, f"$thing/down/{kind}/{{names}}") for kind in ("property", "event", "action", "service", "raw")),
    *((PUBLISH, f"${part}/operation/{{names}}") for part in ("shadow", "template", "gateway", "sys", "log", "config")),
    *((SUBSCRIBE, f"${part}/operation/result/{{names}}") for part in ("shadow", "template", "gateway", "sys", "log", "config")),
    *((PUBLISH, f"${part}/report/{{names}}") for part in ("ota", "config")),
    *((SUBSCRIBE, f"${part}/update/{{names}}") for part in ("ota", "config")),
    (PUBLISH, "$resource/up/service/{names}"),
    (SUBSCRIBE, "$resource/down/service/{names}"),
    (SUBSCRIBE, "$broadcast/rxd/{names}"),
    (SUBSCRIBE, "$rrpc/rxd/{names}/+"),
    (PUBLISH, "$rrpc/txd/{names}/+"),
)
"""Who may what. `{names}` stands for ProductKey/DeviceName."""

MAX_TOPIC: Final = 512
"""Characters; the vendors allow 128."""


@lru_cache(maxsize=4096)
def patterns(product_key: str, device_name: str) -> tuple[tuple[Action, str], ...]:
    """Every action and topic filter of a device; none for names that would be more than one level, or a wildcard, of a topic."""
    if not (_is_one_level(product_key) and _is_one_level(device_name)):
        return ()
    names = f"{product_key}/{device_name}"
    return tuple(
        ("publish" if action == "publish" else "subscribe", pattern.format(names=names, product=product_key))
        for actions, pattern in PATTERNS
        for action in actions
    )


def may(product_key: str, device_name: str, action: Action, topic: str) -> bool:
    """Whether a pattern of the device covers `topic`: a topic's name for publishing, a topic filter for subscribing."""
    wanted = topic.split("/")
    if not 0 < len(topic) <= MAX_TOPIC or not _well_formed(wanted, wildcards=action == "subscribe"):
        return False
    return any(allowed == action and _covers(pattern.split("/"), wanted) for allowed, pattern in patterns(product_key, device_name))


def _is_one_level(name: str) -> bool:
    return bool(name) and not set(name) & set("/+#$\0{}")


def _well_formed(levels: list[str], *, wildcards: bool) -> bool:
    """A wildcard is a whole level, # the last one."""
    if any(("+" in level or "#" in level) and not (wildcards and level in ("+", "#")) for level in levels):
        return False
    return "\0" not in "".join(levels) and "#" not in levels[:-1]


def _covers(pattern: list[str], wanted: list[str]) -> bool:
    """Whether all that `wanted` stands for is in `pattern`."""
    for place, level in enumerate(pattern):
        if level == "#":
            return True
        if place >= len(wanted) or wanted[place] == "#" or level not in ("+", wanted[place]):
            return False
    return len(wanted) == len(pattern)
