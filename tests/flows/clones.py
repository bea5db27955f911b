"""Physical devices that share one DeviceName, and what an operator does about it, a step each."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.flows.operator import Operator
from tests.registration import sdk_device
from tests.registration.sdk_device import SdkDevice

KEY, SECRET, NAME = "a1ExpAkj9Hi", "h1nQFYPZS0mW1234", "0015A3B4C5D6"
UPDATE = f"/{KEY}/{NAME}/user/update"
SEVERAL = "The devices of the current product have multiple ClientIDs."


@dataclass
class Clone:
    """A physical device. `own`: what registration handed it, which it keeps in its flash."""

    port: int
    own: dict[str, Any]
    device: SdkDevice | None = field(default=None)

    @property
    def client_id(self) -> str:
        """As the console shows it."""
        return str(self.own["client_id"].partition("|")[0])

    def switch_on(self) -> SdkDevice:
        self.device = sdk_device.alibaba(self.port, KEY, NAME, **self.own)
        return self.device

    @property
    def is_in(self) -> bool:
        assert self.device
        told = [one["event"] for one in self.device.events if one["event"] in ("connected", "disconnected")]
        return told[-1:] == ["connected"]


def register(port: int, count: int) -> list[Clone]:
    """As many physical devices take the name, at the same time, without being in any list."""
    asking = [sdk_device.alibaba(port, KEY, NAME, product_secret=SECRET, auth_type="regnwl") for _ in range(count)]
    told = [one.wait("registered", 60) for one in asking]
    for one in asking:
        one.switch_off()
    assert [one["rc"] for one in told] == [0] * count
    return [Clone(port, {part: one[part] for part in ("client_id", "username", "password")}) for one in told]


def connect(clones: Iterable[Clone]) -> None:
    """All of them, and each publishes under its own name."""
    devices = [clone.switch_on() for clone in clones]
    for device in devices:
        assert device.wait("connected", 60)["rc"] == 0
        device.publish(UPDATE)
        device.wait("published")


def cut_off_by(clones: Iterable[Clone], moment: float) -> None:
    """Each of their connections ended before it (monotonic seconds)."""
    for clone in clones:
        assert clone.device
        late = clone.device.wait("disconnected", 10)["at"] - moment
        assert late <= 0, f"{late} s too late"


def open_product(operator: Operator) -> None:
    operator.go_to("Products")
    operator.open_row("Kettle")
    operator.sees("Kettle", KEY)


def open_device(operator: Operator) -> None:
    operator.go_to("Devices")
    operator.open_row(NAME)
    operator.sees(NAME, "Current connection")


def find_the_compromised_device(operator: Operator, active: int) -> None:
    """From the product's page, by its notice, to the device."""
    open_product(operator)
    operator.sees(SEVERAL, "1 DeviceName is used by more than one physical device.")
    operator.follow("View")
    operator.sees("Devices with several ClientIDs", NAME, f"{active} active")
    operator.follow(NAME)


def keep_one(operator: Operator, stays: Clone, others: list[Clone]) -> float:
    """The moment before the operator gave the order."""
    operator.follow("Switch")
    operator.sees("Which physical device stays?", *(clone.client_id for clone in [stays, *others]))
    operator.page.locator("label.np-choice", has_text=stays.client_id).get_by_role("radio").check()
    operator.press("Go on")
    operator.sees("Switch to this ClientID?", "Stays", stays.client_id, *(clone.client_id for clone in others))
    operator.fill(Reason="The fifth and the others were copied")
    moment = time.monotonic()
    operator.press("Switch")
    return moment


def clear(operator: Operator) -> float:
    """The moment before the operator gave the order."""
    operator.follow("Clear")
    operator.sees("Clear all ClientIDs?")
    moment = time.monotonic()
    operator.press("Clear")
    return moment
