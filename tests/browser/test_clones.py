"""Several physical devices under one name, in Chromium: seen, switched and cleared by keyboard alone, wide and narrow, light and dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import global_settings
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from devices.models import ClientIdentity, Device, DisconnectOrder, OrderOutcome
from devices.services import disconnecting
from tests import cast
from tests.browser.visitor import WIDTHS, Visitor, signed_in
from tests.devices.clones import clone, connect
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NAME = "A4C138000001"


@pytest.fixture
def clones(transactional_db: None) -> list[ClientIdentity]:
    """Three physical devices of one name; all are connected."""
    cast.home()
    cast.frankfurt()
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):  # The server knows nothing of the tests' quick one.
        cast.administrator()
    kettle = cast.kettle(preregistration_free=True)
    found = []
    for number in range(3):
        found.append(clone(kettle, NAME, at=timezone.now()))
        connect(found[-1], f"203.0.113.{number + 1}", at=timezone.now())
    return found


def page_of(device: Device) -> str:
    return f"/devices/device/cn-shanghai-{device.pk}/change/"


@pytest.fixture
def window(browser: Browser, running_server: Server, clones: list[ClientIdentity]) -> Iterator[Visitor]:
    with signed_in(browser, running_server.url, reduced_motion="reduce") as found:
        yield found


def walk_to(page: Page, name: str) -> None:
    """Tab until the link, button or choice of this name has the focus."""
    for _step in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("(document.activeElement.labels?.[0] || document.activeElement).innerText || ''")
        if focused.strip().startswith(name):
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


@pytest.mark.parametrize(("width", "scheme"), list(zip(WIDTHS, ("light", "dark"), strict=True)))
def test_the_pages_fit_and_complain_of_nothing(browser: Browser, running_server: Server, clones: Any, width: int, scheme: str) -> None:
    device = clones[0].device
    base = page_of(device).removesuffix("change/")
    with signed_in(browser, running_server.url, width=width, color_scheme=scheme) as visitor:
        for path in (
            base + "change/",
            base + "change/?span=hour",
            base + "switch/",
            f"{base}switch/?keep={clones[0].client_id}",
            base + "clear/",
            f"/devices/device/compromised/{device.product_id}/",
            f"/products/product/{device.product_id}/change/",
            "/registration/devicelogentry/export/?event__exact=connection",
            "/registration/devicelogentry/?event__exact=connection",
        ):
            visitor.visit(path)
        assert not visitor.complaints


def test_a_client_id_is_switched_by_keyboard_and_the_page_follows_the_cutting(window: Visitor, clones: list[ClientIdentity]) -> None:
    page, (kept, *others) = window.page, clones
    window.visit(page_of(kept.device))
    expect(page.locator("#connection")).to_contain_text("3 physical devices at the same time")
    expect(page.locator("#timeline")).to_contain_text("Two places at the same time")
    walk_to(page, "Switch")
    page.keyboard.press("Enter")
    page.wait_for_url("**/switch/")
    walk_to(page, "C")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=kept.client_id)).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/switch/?keep=*")
    expect(page.locator("form.np-card")).to_contain_text("2 of them are connected now. 2 are cut off at once.")
    page.get_by_label("Reason").focus()
    page.keyboard.type("the others are copies")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    orders = page.locator("#orders")
    expect(orders.locator("text=Waiting")).to_have_count(2)
    for order in DisconnectOrder.objects.all():
        disconnecting.order_done(order, OrderOutcome.CUT, at=timezone.now())
    expect(orders.locator(".np-badge", has_text="Cut off")).to_have_count(2, timeout=10_000)
    expect(page.locator("#connection tbody tr")).to_have_count(1)
    expect(page.locator("#client-ids")).to_contain_text("Forbidden by Switch")
    assert set(ClientIdentity.objects.filter(status="allowed")) == {kept}
    assert not window.complaints
    assert len(others) == 2


def test_all_are_cleared_by_keyboard_and_the_product_s_page_told_of_it_until_then(window: Visitor, clones: list[ClientIdentity]) -> None:
    page, device = window.page, clones[0].device
    product_page = f"/products/product/{device.product_id}/change/"
    window.visit(product_page)
    expect(page.locator(".np-notice")).to_contain_text("multiple ClientIDs")
    page.locator(".np-notice a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/compromised/*/")
    page.get_by_role("link", name=NAME, exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    walk_to(page, "Clear")
    page.keyboard.press("Enter")
    page.wait_for_url("**/clear/")
    expect(page.locator("form.np-card")).to_contain_text("3 physical devices are forbidden to connect")
    walk_to(page, "Clear")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    expect(page.locator("body")).to_contain_text("All ClientIDs of the device are forbidden.")
    assert not ClientIdentity.objects.filter(status="allowed").exists()
    window.visit(product_page)
    expect(page.locator(".np-notice")).to_have_count(0)
    assert not window.complaints
