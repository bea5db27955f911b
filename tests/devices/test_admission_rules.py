"""The admission table, line by line, on plain values."""

import pytest

from devices.rules.admission import (
    AlreadyActivated,
    AlreadyRegistered,
    DeviceDisabled,
    DynamicRegistrationOff,
    Known,
    NotImported,
    PerProductSecretOff,
    Policy,
    Refused,
    Verdict,
    WrongAuthentication,
    decide,
)

OPEN = Policy(per_product_secret=True, dynamic_registration=True, auto_create=False, once=False)
CREATING = Policy(per_product_secret=True, dynamic_registration=True, auto_create=True, once=False)
ONCE = Policy(per_product_secret=True, dynamic_registration=True, auto_create=True, once=True)
CLOSED = Policy(per_product_secret=True, dynamic_registration=False, auto_create=True, once=False)
NOT_FLASHED = Policy(per_product_secret=False, dynamic_registration=True, auto_create=True, once=False)


def here(authentication: str = "dynamic", *, enabled: bool = True, registered: bool = True, activated: bool = False) -> Known:
    return Known(authentication, enabled, registered, activated)


@pytest.mark.parametrize(
    ("policy", "device", "row", "verdict"),
    [
        (OPEN, None, "dynamic", Verdict.MAKE_FROM_ROW),
        (CREATING, None, "dynamic", Verdict.MAKE_FROM_ROW),
        (CREATING, None, None, Verdict.CREATE),
        (OPEN, here(), "dynamic", Verdict.HAND_OUT),
        (OPEN, here(), None, Verdict.HAND_OUT),
        (OPEN, here(), "static", Verdict.HAND_OUT),
        (ONCE, here(registered=False), "dynamic", Verdict.HAND_OUT),
    ],
)
def test_it_admits(policy: Policy, device: Known | None, row: str | None, verdict: Verdict) -> None:
    assert decide(policy, device=device, row_authentication=row).verdict is verdict


@pytest.mark.parametrize(
    ("policy", "device", "row", "refusal"),
    [
        (CLOSED, None, "dynamic", DynamicRegistrationOff),
        (CLOSED, here(activated=True), "dynamic", DynamicRegistrationOff),
        (NOT_FLASHED, None, "dynamic", PerProductSecretOff),
        (OPEN, None, "static", WrongAuthentication),
        (CREATING, None, "x509", WrongAuthentication),
        (OPEN, None, None, NotImported),
        (OPEN, here(activated=True), "dynamic", AlreadyActivated),
        (OPEN, here(enabled=False), "dynamic", DeviceDisabled),
        (OPEN, here("static"), "dynamic", WrongAuthentication),
        (ONCE, here(), "dynamic", AlreadyRegistered),
        (ONCE, here(activated=True), "dynamic", AlreadyActivated),
    ],
)
def test_it_refuses_each_for_its_own_reason(policy: Policy, device: Known | None, row: str | None, refusal: type[Refused]) -> None:
    with pytest.raises(refusal) as raised:
        decide(policy, device=device, row_authentication=row)
    assert raised.value.path[-1] == refusal.default_message
    assert all(sentence.endswith(".") for sentence in raised.value.path)


def test_the_path_tells_what_was_checked_in_order() -> None:
    with pytest.raises(NotImported) as raised:
        decide(OPEN, device=None, row_authentication=None)
    assert raised.value.path == (
        "Dynamic registration is on.",
        "The per-product secret flashing method is enabled.",
        "The DeviceName is not in the pre-import list, and automatic creation is off.",
    )
