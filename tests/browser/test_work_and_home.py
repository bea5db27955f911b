"""Home, the jobs page, the explained log and "what if" in Chromium: wide and narrow, light and dark, by keyboard, and live."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import global_settings
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, expect

from devices.models import Batch, BatchSource
from products.models import Product
from registration.models import DeviceLogEntry, FigureState
from registration.services import figure_keeping
from tests import cast
from tests.browser.visitor import WIDTHS, Visitor, signed_in
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def product(transactional_db: None) -> Product:
    """With registrations and refusals of today, a running batch and a clone, in two data centers."""
    home = cast.home()
    cast.frankfurt()
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):  # The server knows nothing of the tests' quick one.
        cast.administrator()
    lamp, now = cast.lamp(dynamic_registration=False), timezone.now()
    for number, code in enumerate(["accepted", "not_imported", "bad_signature", "dynamic_registration_off"] * 5):
        DeviceLogEntry.objects.create(
            at=now - timedelta(hours=number),
            data_center=home,
            product=lamp,
            product_key=lamp.key,
            device_name=f"lamp-{number}",
            protocol="alibaba",
            address="192.0.2.7",
            code=code,
            accepted=code == "accepted",
            path=["The product is known.", "The product is published.", "Dynamic registration is off for this product."],
            request_id=uuid4(),
        )
    figure_keeping.roll_up(clock=lambda: now - timedelta(seconds=15))
    figure_keeping.roll_up(clock=lambda: now)
    return lamp


@pytest.fixture
def running(product: Product) -> Batch:
    now = timezone.now()
    facts = {"total": 1000, "done": 100, "made": 100, "state": "running", "requested_at": now, "started_at": now, "heartbeat_at": now}
    return Batch.objects.create(product=product, source=BatchSource.AUTOMATIC, **facts)


@pytest.fixture
def window(browser: Browser, running_server: Server, product: Product) -> Iterator[Visitor]:
    with signed_in(browser, running_server.url) as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), list(zip(WIDTHS, ("light", "dark"), strict=True)))
def test_the_pages_are_whole(width: int, scheme: Any, browser: Browser, running_server: Server, running: Batch) -> None:
    entry = DeviceLogEntry.objects.filter(code="not_imported").latest("pk")
    with signed_in(browser, running_server.url, width=width, color_scheme=scheme) as visitor:
        for path in (
            "/",
            "/?span=30d&by=center",
            "/jobs/",
            f"/jobs/batch/{running.pk}/cancel/",
            f"/registration/devicelogentry/{entry.data_center_id}-{entry.pk}/change/",
            "/registration/devicelogentry/?address=192.0.2.0/24",
            "/registration/devicelogentry/what-if/?product=a1LampKey01&name=lamp-1",
        ):
            visitor.visit(path)
        assert not visitor.complaints


def test_the_charts_are_drawn_and_said_as_tables(window: Visitor) -> None:
    bars = window.page.locator("#came-title >> xpath=ancestor::section").locator(".np-chart__bar > span")
    assert bars.count() == 5
    assert all(box["height"] > 2 and box["width"] <= 28 for one in bars.all() if (box := one.bounding_box()))
    refused = window.page.locator("#refused-title >> xpath=ancestor::section")
    refused.get_by_text("The same as a table").click()
    expect(refused.get_by_role("columnheader", name="Bad signature")).to_be_visible()
    window.page.get_by_role("link", name="7 days").click()
    window.page.wait_for_url("**/?span=7d*")
    assert window.page.locator("#came-title >> xpath=ancestor::section").locator(".np-chart__slot").count() == 7
    assert not window.complaints


def test_a_job_moves_before_one_s_eyes_and_survives_a_reload(window: Visitor, running: Batch) -> None:
    window.visit("/jobs/")
    row = window.page.locator(f"[data-job=batch-{running.pk}]")
    expect(row.locator("[data-job-rows]")).to_have_text("100 of 1,000")
    Batch.objects.filter(pk=running.pk).update(done=600, made=600)
    expect(row.locator("[data-job-rows]")).to_have_text("600 of 1,000")
    expect(row.locator("[data-job-bar]")).to_have_attribute("aria-valuenow", "60")
    window.page.reload()
    expect(row.locator("[data-job-rows]")).to_have_text("600 of 1,000")
    row.get_by_role("link", name="Cancel").focus()
    Batch.objects.filter(pk=running.pk).update(state="failed", failure="The disk is full.", finished_at=timezone.now())
    expect(row.get_by_text("The disk is full.")).to_be_visible(timeout=10_000)
    assert not window.complaints


def test_a_job_that_begins_appears_by_itself(window: Visitor, product: Product) -> None:
    window.visit("/jobs/")
    expect(window.page.get_by_text("nothing has run yet")).to_be_visible()
    Batch.objects.create(product=product, source=BatchSource.AUTOMATIC, total=7, requested_at=timezone.now())
    expect(window.page.get_by_text("Queued", exact=True).last).to_be_visible(timeout=10_000)


def test_from_a_refusal_one_asks_what_would_happen_now_by_keyboard_alone(window: Visitor, product: Product) -> None:
    entry = DeviceLogEntry.objects.filter(code="dynamic_registration_off").latest("pk")
    before = DeviceLogEntry.objects.count()
    window.visit(f"/registration/devicelogentry/{entry.data_center_id}-{entry.pk}/change/")
    window.page.get_by_role("link", name="What if it registered now").focus()
    window.page.keyboard.press("Enter")
    window.page.wait_for_url("**/what-if/**")
    expect(window.page.get_by_label("DeviceName")).to_have_value(entry.device_name)
    expect(window.page.get_by_text("Dynamic registration is off for this product.").first).to_be_visible()
    Product.objects.filter(pk=product.pk).update(dynamic_registration=True)
    window.page.get_by_label("DeviceName").focus()
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_text("The DeviceName is not in the pre-import list, and automatic creation is off.").first).to_be_visible()
    assert DeviceLogEntry.objects.count() == before
    assert not window.complaints


def test_home_says_when_its_figures_are_old(window: Visitor) -> None:
    FigureState.objects.update(counted_at=timezone.now() - timedelta(hours=1))
    window.visit("/")
    expect(window.page.get_by_text("Not counted since")).to_be_visible()
    expect(window.page.get_by_text("The background worker does not run")).to_be_visible()
