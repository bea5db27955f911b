"""Mass production in a real browser: progress without reloading, and the form that shows what applies."""

import csv
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from console.shared.jobs import JobState
from devices.models import Batch, BatchUndo
from devices.services import batches, mac_pools, production, undoing
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
    expect(page.locator("[data-batch-bar]")).to_have_attribute("aria-valuenow", "40")
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


def test_the_guided_way_leads_from_the_product_to_the_download_by_keyboard_alone(page: Page, running_server: Server) -> None:
    product = cast.kettle()
    mac_pools.create(NewPool(name="Ours", kind="MA-L", prefix="A4DA32"), by=OPERATOR, at=NOON)
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/devices/batch/center/")
    press(page, page.get_by_role("link", name="Batch production Kettle"))
    expect(page.locator("[aria-current=step]")).to_have_text("Flashing method")
    press(page, page.get_by_role("button", name="Continue"))
    expect(page.locator("[aria-current=step]")).to_have_text("DeviceNames")
    expect(page.locator("[name=workbook]")).to_be_hidden()
    page.locator("[name=quantity]").focus()
    page.keyboard.type("300")
    page.locator("[name=mac_pool]").focus()
    page.keyboard.type("Ours")
    press(page, page.get_by_role("button", name="Continue"))
    expect(page.get_by_role("heading", name="Make 300 devices of Kettle?")).to_be_visible()
    expect(page.locator(".np-facts")).to_contain_text("A4DA3200012B")
    page.reload()
    page.go_back()
    expect(page.locator("[name=quantity]")).to_be_visible()
    page.go_forward()
    assert not Batch.objects.exists()
    press(page, page.get_by_role("button", name="Start production"))
    expect(page.locator(".np-header h2")).to_contain_text("Batch B")
    batch = Batch.objects.get()
    assert batch.total == 300
    page.go_back()
    expect(page.get_by_text(f"Batch {batch.number} was started from this page already.")).to_be_visible()
    press(page, page.get_by_role("link", name="View", exact=True))
    production.fill(batch.pk, clock=timezone.now)
    expect(page.locator("[aria-current=step]")).to_have_text("Activation codes")
    button = page.locator("form[action$='/codes/csv/'] button")
    with page.expect_download() as download:
        press(page, button)
    assert download.value.suggested_filename == f"{product.key}-{batch.number}.csv"


def press(page: Page, target: Locator) -> None:
    """By keyboard: it can be focused, and Enter does it."""
    target.focus()
    expect(target).to_be_focused()
    page.keyboard.press("Enter")


def test_a_batch_is_undone_by_its_typed_number(page: Page, running_server: Server) -> None:
    batch = waiting(50)
    production.fill(batch.pk, clock=timezone.now)
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/devices/batch/{batch.pk}/change/")
    page.get_by_role("button", name="Undo batch").first.click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Reason").fill("ordered twice")
    dialog.get_by_label("Batch number").fill("B999999")
    dialog.get_by_role("button", name="Undo batch").click()
    expect(page.locator("dialog[open]")).to_contain_text(f"Type {batch.number} to undo this batch.")
    assert not BatchUndo.objects.exists()
    page.locator("dialog[open]").get_by_label("Batch number").fill(batch.number)
    page.locator("dialog[open]").get_by_role("button", name="Undo batch").click()
    expect(page.get_by_role("heading", name="Being undone", exact=True)).to_be_visible()
    undoing.carry_out(BatchUndo.objects.get().pk, clock=timezone.now)
    expect(page.get_by_text("The batch was undone")).to_be_visible()
    expect(page.locator(".np-page")).to_contain_text("ordered twice")
    expect(page.locator("form[action*='/codes/']")).to_have_count(0)


def test_a_download_code_is_made_shown_once_and_redeemed_without_an_account(page: Page, browser: Browser, running_server: Server) -> None:
    batch = waiting(30)
    production.fill(batch.pk, clock=timezone.now)
    sign_in(page, running_server)
    page.goto(f"{running_server.url}/devices/batch/{batch.pk}/change/")
    page.get_by_role("button", name="Make a download code").first.click()
    page.locator("dialog[open]").get_by_label("For whom").fill("Factory 2")
    page.locator("dialog[open]").get_by_role("button", name="Make the code").click()
    code = page.locator("#download-codes .np-secret").inner_text()
    page.goto(f"{running_server.url}/devices/batch/{batch.pk}/change/")
    expect(page.locator("#download-codes")).to_contain_text("Factory 2")
    assert code not in page.content()

    stranger = browser.new_context().new_page()
    stranger.goto(f"{running_server.url}/download/")
    stranger.get_by_label("Download code").fill("2345-6789")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("alert")).to_contain_text("This download code is not valid")
    stranger.get_by_label("Download code").fill(code)
    with stranger.expect_download() as download:
        stranger.keyboard.press("Enter")
    assert download.value.suggested_filename == f"L4WG9V9M2M-{batch.number}.csv"
    stranger.context.close()
