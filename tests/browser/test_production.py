"""Mass production in a real browser: progress without reloading, and the form that shows what applies."""

import csv
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.shared.jobs import JobState
from devices.models import Batch
from devices.services import batches, mac_pools, production
from devices.services.batches import NewBatch
from devices.services.mac_pools import NewPool
from tests import cast
from tests.cast import NOON, OPERATOR
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def sign_in(page: Page, server: Server) -> None:
    """By a session of the test's own: signing in by password is tested elsewhere."""
    client = Client()
    client.force_login(cast.administrator())
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}])


def waiting(quantity: int = 1000) -> Batch:
    return batches.request(cast.tracker().pk, NewBatch(source="automatic", quantity=quantity), by=OPERATOR, at=NOON)


def test_progress_moves_without_reloading_the_page(page: Page, running_server: Server) -> None:
    batch = waiting()
    now = timezone.now()
    Batch.objects.filter(pk=batch.pk).update(state=JobState.RUNNING, started_at=now, heartbeat_at=now + timedelta(hours=1))
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/devices/batch/{batch.pk}/change/")
    page.evaluate("window.stayed = true")
    Batch.objects.filter(pk=batch.pk).update(done=400, made=400)
    expect(page.locator("[data-batch-made]").first).to_have_text("400")
    expect(page.locator("[data-batch-rate]")).to_contain_text("devices a second")
    expect(page.locator("[data-batch-left]")).to_contain_text("left")
    assert page.locator("[data-batch-bar]").get_attribute("aria-valuenow") == "40"
    assert page.evaluate("window.stayed") is True


def test_the_list_of_records_moves_without_reloading_too(page: Page, running_server: Server) -> None:
    batch = waiting()
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/devices/batch/")
    page.evaluate("window.stayed = true")
    production.fill(batch.pk, clock=timezone.now)
    expect(page.locator("[data-batch-state]")).to_have_text("Done")
    expect(page.locator("[data-batch-made]")).to_have_text("1,000")
    assert page.evaluate("window.stayed") is True


def test_a_finished_batch_offers_its_codes_by_itself(page: Page, running_server: Server) -> None:
    batch = waiting(30)
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/devices/batch/{batch.pk}/change/")
    production.fill(batch.pk, clock=timezone.now)
    button = page.locator("form[action$='/codes/csv/'] button")
    expect(button).to_be_visible()
    with page.expect_download() as download:
        button.click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["ProductKey", "DeviceName", "DeviceSecret"]
    assert len(rows) == 31
    assert download.value.suggested_filename == f"L4WG9V9M2M-{batch.number}.csv"


def test_the_form_shows_what_applies_and_what_will_be_used_up(page: Page, running_server: Server) -> None:
    product = cast.kettle()
    mac_pools.create(NewPool(name="Ours", kind="MA-L", prefix="A4DA32"), by=OPERATOR, at=NOON)
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/devices/batch/center/{product.pk}/")
    expect(page.locator("[name=workbook]")).to_be_hidden()
    page.check("[name=flashing_method][value=per_product]")
    expect(page.locator("[name=workbook]")).to_be_visible()
    expect(page.locator("[name=quantity]")).to_be_hidden()
    expect(page.locator("[name=source][value=automatic]")).to_be_disabled()
    page.check("[name=flashing_method][value=per_device]")
    page.check("[name=source][value=automatic]")
    page.fill("[name=quantity]", "300")
    page.select_option("[name=mac_pool]", index=1)
    page.get_by_role("button", name="Continue").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Make 300 devices of Kettle?")
    expect(dialog).to_contain_text("A4DA3200012B")
    assert not Batch.objects.exists()
    dialog.get_by_role("button", name="Start production").click()
    expect(page.locator(".np-header h2")).to_contain_text("Batch B")
    assert Batch.objects.get().total == 300
