"""The admission table, line by line, on plain values."""

import pytest

from devices.rules.admission import (
    AlreadyActivated,
    AlreadyRegistered,
    DeviceDisabled,
    DynamicRegistrationOff,
    Handing,
    Known,
    NotImported,
    PerProductSecretOff,
    Policy,
    Refused,
    Verdict,
    WrongAuthentication,
    decide,
    outcome,
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


ISSUED = Known("x509", enabled=True, registered=True, activated=False, was_issued=True)
BURNED = here("x509", registered=False)


@pytest.mark.parametrize("handing", list(Handing))
@pytest.mark.parametrize(("device", "row"), [(None, "dynamic"), (None, None), (here(), None), (ISSUED, "dynamic"), (ISSUED, "x509")])
def test_who_registers_dynamically_may_be_handed_anything(handing: Handing, device: Known | None, row: str | None) -> None:
    decision = decide(CREATING, device=device, row_authentication=row, handing=handing)
    assert outcome(decision.verdict, handing).endswith(".")


@pytest.mark.parametrize(("device", "row"), [(None, "x509"), (BURNED, None), (BURNED, "dynamic")])
def test_who_has_a_burned_in_certificate_may_only_show_it(device: Known | None, row: str | None) -> None:
    for handing in (Handing.SECRET, Handing.CERTIFICATE):
        with pytest.raises(WrongAuthentication):
            decide(CREATING, device=device, row_authentication=row, handing=handing)
    decide(CREATING, device=device, row_authentication=row, handing=Handing.OWN_CERTIFICATE)


@pytest.mark.parametrize(("device", "row"), [(None, "static"), (here("static"), None)])
def test_who_has_a_burned_in_secret_is_handed_nothing(device: Known | None, row: str | None) -> None:
    for handing in Handing:
        with pytest.raises(WrongAuthentication):
            decide(CREATING, device=device, row_authentication=row, handing=handing)


def test_a_certificate_does_not_open_what_is_closed_to_secrets() -> None:
    activated = Known("x509", enabled=True, registered=True, activated=True, was_issued=True)
    for handing in Handing:
        with pytest.raises(AlreadyActivated):
            decide(OPEN, device=activated, row_authentication=None, handing=handing)
        with pytest.raises(AlreadyRegistered):
            decide(ONCE, device=ISSUED, row_authentication=None, handing=handing)


def test_the_path_tells_what_was_checked_in_order() -> None:
    with pytest.raises(NotImported) as raised:
        decide(OPEN, device=None, row_authentication=None)
    assert raised.value.path == (
        "Dynamic registration is on.",
        "The per-product secret flashing method is enabled.",
        "The DeviceName is not in the pre-import list, and automatic creation is off.",
    )
