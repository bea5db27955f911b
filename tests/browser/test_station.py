"""The binding station in a real browser, with a scanner that types: fast, with Enter or Tab, and wherever the focus is."""

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from devices.models import PreImportedDevice, SerialNumber
from devices.rules import labels
from products.models import Product
from tests import cast
from tests.devices import serials
from tests.processes import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MACS = [f"4C11AE0000{number:02X}" for number in range(1, 7)]


@pytest.fixture
def station(page: Page, running_server: Server) -> tuple[Page, Product, list[str]]:
    """The station of a product with six devices and six labels; whoever sits there has proved who they are."""
    kettle = cast.kettle()
    for mac in MACS:
        cast.row(kettle, mac)
    sns = serials.labels_of(serials.made(kettle, 6))
    client = Client()
    client.force_login(cast.administrator())
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": running_server.url}])
    page.goto(f"{running_server.url}/devices/serialnumber/station/{kettle.pk}/")
    page.evaluate("window.stayed = true")
    expect(page.locator("#id_scan")).to_be_focused()
    return page, kettle, sns


def scan(page: Page, text: str, end: str = "Enter") -> None:
    """As a keyboard wedge: into whatever has the focus, a key a millisecond."""
    page.keyboard.type(text, delay=1)
    page.keyboard.press(end)


def says(page: Page, kind: str, words: str) -> None:
    expect(page.locator(f'[data-kind="{kind}"] .np-station__words')).to_have_text(words)


def sn_of(mac: str) -> str | None:
    return PreImportedDevice.objects.get(device_name=mac).sn


def test_a_scanner_binds_pair_after_pair_without_loading_the_page(station: tuple[Page, Product, list[str]]) -> None:
    page, kettle, sns = station
    scan(page, "4C:11:AE:00:00:01")
    says(page, "half", f"Device {MACS[0]}. Now scan its label.")
    scan(page, labels.qr_text(kettle.key, sns[0]))
    says(page, "bound", f"{sns[0]} is on {MACS[0]}.")
    scan(page, sns[1], end="Tab")
    says(page, "half", f"Label {sns[1]}. Now scan its device.")
    expect(page.locator("#id_scan")).to_be_focused()
    scan(page, MACS[1], end="Tab")
    says(page, "bound", f"{sns[1]} is on {MACS[1]}.")
    expect(page.locator("[data-mine]")).to_have_text("2")
    assert [sn_of(mac) for mac in MACS[:2]] == sns[:2]
    assert page.evaluate("window.stayed") is True


def test_scans_faster_than_the_server_are_all_kept_in_order(station: tuple[Page, Product, list[str]]) -> None:
    page, _kettle, sns = station
    page.route("**/station/**", lambda route: (page.wait_for_timeout(150), route.continue_()))
    for mac, sn in zip(MACS, sns, strict=True):
        scan(page, mac)
        scan(page, sn)
    says(page, "bound", f"{sns[-1]} is on {MACS[-1]}.")
    assert [sn_of(mac) for mac in MACS] == sns


def test_a_refusal_drops_the_second_scan_of_its_pair(station: tuple[Page, Product, list[str]]) -> None:
    page, _kettle, sns = station
    scan(page, "4C11AE00BEEF")
    scan(page, sns[0])  # The worker's hand is faster than the eye.
    says(page, "refused", "4C11AE00BEEF is not in the pre-import list of Kettle.")
    page.wait_for_timeout(1200)
    says(page, "refused", "4C11AE00BEEF is not in the pre-import list of Kettle.")
    scan(page, MACS[1])
    scan(page, sns[1])
    says(page, "bound", f"{sns[1]} is on {MACS[1]}.")
    assert not SerialNumber.objects.bound().filter(sn=sns[0]).exists()


def test_the_focus_comes_back_from_wherever_it_was_and_the_last_binding_is_undone(station: tuple[Page, Product, list[str]]) -> None:
    page, _kettle, sns = station
    page.get_by_label("Sound").check()
    scan(page, MACS[0])
    page.locator("h2").first.click()
    scan(page, sns[0])
    says(page, "bound", f"{sns[0]} is on {MACS[0]}.")
    page.get_by_role("button", name="Undo").click()
    says(page, "noted", f"{sns[0]} is off {MACS[0]} again.")
    assert sn_of(MACS[0]) is None
    page.get_by_role("link", name="Another product").focus()
    scan(page, MACS[0])
    says(page, "half", f"Device {MACS[0]}. Now scan its label.")


def test_a_server_that_is_away_is_said_loudly_and_binds_nothing(station: tuple[Page, Product, list[str]]) -> None:
    page, _kettle, sns = station
    scan(page, MACS[0])
    says(page, "half", f"Device {MACS[0]}. Now scan its label.")
    page.route("**/station/**", lambda route: route.abort())
    scan(page, sns[0])
    expect(page.locator("[data-station-lost]")).to_be_visible()
    page.unroute("**/station/**")
    scan(page, sns[1])
    says(page, "half", f"Label {sns[1]}. Now scan its device.")
    expect(page.locator("[data-station-lost]")).to_be_hidden()
    assert not SerialNumber.objects.bound().exists()


def test_it_works_without_a_script(station: tuple[Page, Product, list[str]], running_server: Server) -> None:
    page, kettle, sns = station
    browser = page.context.browser
    assert browser
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    page = plain.new_page()
    page.goto(f"{running_server.url}/devices/serialnumber/station/{kettle.pk}/")
    for scanned, kind, words in (
        (MACS[0], "half", f"Device {MACS[0]}. Now scan its label."),
        (sns[0], "bound", f"{sns[0]} is on {MACS[0]}."),
    ):
        expect(page.locator("#id_scan")).to_be_focused()
        scan(page, scanned)
        says(page, kind, words)
    plain.close()
