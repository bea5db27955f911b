"""Dialogs and the selector of data centers in Chromium."""

from collections.abc import Iterator

import pytest
from django.conf import global_settings
from django.test import override_settings
from playwright.sync_api import Browser, expect

from devices.models import Device
from devices.services import admission
from products.models import DataCenter, Product
from products.services import lookup
from tests import cast
from tests.browser.visitor import Visitor, signed_in
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def device(transactional_db: None) -> Device:
    """A registered device of a product, in a console with two data centers."""
    center: DataCenter = cast.home()
    cast.frankfurt()
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):  # The server knows nothing of the tests' quick one.
        cast.administrator()
    kettle: Product = cast.kettle()
    cast.row(kettle, "A4C138000001", nickname="A kettle with a rather long nickname for a narrow screen", sn="SN-0001")
    known = lookup.find_for_registration(kettle.key, at=cast.NOON)
    admission.admit(data_center=center, product=known, device_name="A4C138000001", at=cast.NOON)
    return Device.objects.at(center).get()


@pytest.fixture
def window(browser: Browser, running_server: Server, device: Device) -> Iterator[Visitor]:
    with signed_in(browser, running_server.url) as found:
        yield found


def test_a_dialog_says_what_happens_before_it_happens(window: Visitor, device: Device) -> None:
    window.visit(f"/devices/device/cn-shanghai-{device.pk}/change/")
    dialog = window.page.locator("#dialog-disable")
    expect(dialog).to_be_hidden()
    window.page.locator("[data-dialog=dialog-disable]").click()
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("neither register nor connect")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    window.page.locator("[data-dialog=dialog-disable]").click()
    dialog.get_by_label("Reason").fill("returned")
    dialog.get_by_role("button", name="Disable").click()
    window.page.wait_for_selector("text=The device is disabled.")
    device.refresh_from_db()
    assert not device.enabled
    assert not window.complaints


def test_the_selector_sends_itself_and_stays(window: Visitor) -> None:
    window.visit("/devices/device/")
    assert window.page.locator("#result_list tbody").count() == 1
    window.page.select_option("#data-center", "eu-frankfurt")
    window.page.wait_for_selector("text=No device in this data center yet")
    window.visit("/")
    window.visit("/devices/device/")
    expect(window.page.locator("#data-center")).to_have_value("eu-frankfurt")
    assert not window.complaints


def test_an_error_comes_back_into_its_dialog(window: Visitor, device: Device) -> None:
    window.visit(f"/products/product/{device.product_id}/change/")
    window.page.locator("[data-dialog=dialog-grant_codes]").click()
    dialog = window.page.locator("#dialog-grant_codes")
    dialog.get_by_label("Activation codes").fill("0")
    dialog.get_by_role("button", name="Grant").click()
    expect(dialog.locator("[data-field=quantity]")).to_contain_text("greater than or equal to 1")
    expect(dialog).to_be_visible()
    assert not window.complaints
