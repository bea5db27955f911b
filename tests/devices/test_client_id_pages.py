"""A device's physical devices in the console: who is connected, Switch and Clear, and how the cutting goes (A11 to A13, N8)."""

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry
from devices.admin.device import device_key
from devices.models import ClientIdentity, Device, DisconnectOrder, OrderOutcome
from devices.services import admission, client_ids, disconnecting, lifecycle
from products.models import Product
from products.services import lookup
from tests import cast
from tests.devices.clones import arrive, broker, clone, connect, device, leave, minutes
from tests.devices.pages import staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]
NAME = "A4C138000001"


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' clock stands an hour after noon."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: minutes(60))


@pytest.fixture
def kettle() -> Product:
    cast.home()
    return cast.kettle(preregistration_free=True)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(cast.administrator())
    return client


def url(view: str, name: str = NAME) -> str:
    return reverse(f"admin:devices_device_{view}", args=[device_key(device(Product.objects.get(), name))])


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    assert answer.status_code == 200
    main = answer.content.decode().partition('<div class="np-page">')[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def page(client: Client, name: str = NAME) -> str:
    return text(client.get(url("change", name)))


def two_clones(kettle: Product, kind: str = "emqx") -> tuple[ClientIdentity, ClientIdentity]:
    """Both are connected: the first since noon, the second since ten minutes later."""
    first, second = clone(kettle, NAME), clone(kettle, NAME)
    connect(first, "203.0.113.1", kind=kind)
    connect(second, "198.51.100.2", kind=kind, at=minutes(10))
    return first, second


# -- The device's page -------------------------------------------------------------------------------------------------------------------
def test_it_shows_the_client_id_of_the_current_connection_and_every_identity(operator: Client, kettle: Product) -> None:
    first, second = two_clones(kettle)
    third = clone(kettle, NAME)
    shown = page(operator)
    assert "2 physical devices at the same time" in shown
    assert f"A {first.client_id} Copy 203.0.113.1 emqx-1 EMQX Now since 2026-11-20 12:00:00" in shown
    assert all(identity.client_id in shown for identity in (first, second, third))
    assert "Issued, never used" in shown
    assert "2 physical devices are active, at most five" in shown


def test_the_timeline_marks_two_places_at_the_same_time_in_words_too(operator: Client, kettle: Product) -> None:
    two_clones(kettle)
    shown = page(operator)
    assert "Two places at the same time A B 2026-11-20 12:10:00 – now (50 minutes)" in shown
    assert "B 2026-11-20 12:10:00 Connected now 198.51.100.2 emqx-1 A" in shown
    svg = operator.get(url("change")).content.decode()
    assert svg.count("np-timeline__bar--here") == 2
    assert svg.count("np-timeline__overlap") == 2


@pytest.mark.parametrize("span", ["hour", "day", "week", "", "nonsense", "<script>"])
def test_the_timeline_s_span_can_be_chosen(operator: Client, kettle: Product, span: str) -> None:
    two_clones(kettle)
    answer = operator.get(url("change"), {"span": span})
    assert answer.context["chart"].span == (span if span in ("hour", "day", "week") else "")
    assert "<script>" not in answer.content.decode().partition("np-page")[2]


def test_one_after_the_other_is_no_overlap(operator: Client, kettle: Product) -> None:
    first, second = clone(kettle, NAME), clone(kettle, NAME)
    leave(first.device, connect(first), at=minutes(5))
    connect(second, at=minutes(6))
    shown = page(operator)
    assert "Two places at the same time" not in shown
    assert "2026-11-20 12:05:00 Left" in shown


def test_a_broker_that_does_not_tell_departures_gets_no_claim_that_somebody_is_online(operator: Client, kettle: Product) -> None:
    two_clones(kettle, kind="mosquitto")
    shown = page(operator)
    assert "Last seen 2026-11-20 12:10:00" in shown
    assert "not known" in shown
    assert "Connected now" not in shown
    assert "Online" not in shown
    assert "The broker does not tell" in shown
    assert operator.get(url("change")).context["chart"].overlaps == ()


def test_a_device_with_its_own_secret_shows_its_mqtt_client_id_and_who_pushes_whom_out(operator: Client, kettle: Product) -> None:
    one = registered(kettle)
    cast.activate(one)
    for turn in range(4):
        arrive(one, f"203.0.113.{turn % 2}", mqtt_client_id="a1ExpAkj9Hi.kettle", at=minutes(turn))
    shown = page(operator)
    assert "MQTT client id" in shown and "a1ExpAkj9Hi.kettle" in shown
    assert "Two places take the connection from each other 3 times" in shown
    assert "Switch" not in shown
    assert "Clear" not in shown


def registered(kettle: Product) -> Device:
    """A device with a DeviceSecret of its own."""
    cast.row(kettle, NAME)
    known = lookup.find_for_registration(kettle.key, at=cast.NOON)
    admission.admit(data_center=cast.home(), product=known, device_name=NAME, at=cast.NOON)
    return device(kettle, NAME)


def test_a_device_that_has_never_connected_shows_none_of_it(operator: Client, kettle: Product) -> None:
    registered(kettle)
    shown = page(operator)
    assert "Current connection" not in shown
    assert "Timeline" not in shown


def test_the_page_asks_little_however_long_the_history_is(operator: Client, kettle: Product, django_assert_max_num_queries: Any) -> None:
    first, second = two_clones(kettle)
    for turn in range(40):
        connect((first, second)[turn % 2], at=minutes(11 + turn))
    with django_assert_max_num_queries(18):
        page(operator)


def test_each_identity_is_one_click_from_its_events(operator: Client, kettle: Product) -> None:
    first, _second = two_clones(kettle)
    link = f"client_id={first.client_id}"
    assert link in operator.get(url("change")).content.decode()
    viewer = staff("view_device")
    assert link not in viewer.get(url("change")).content.decode(), "the log has a permission of its own"


# -- Switch ------------------------------------------------------------------------------------------------------------------------------
def test_switch_first_shows_whom_to_choose_by_their_first_connection(operator: Client, kettle: Product) -> None:
    first, second = two_clones(kettle)
    shown = text(operator.get(url("switch")))
    assert f"A {first.client_id} Allowed Connected now First connection: 2026-11-20 12:00:00" in shown
    assert f"B {second.client_id} Allowed Connected now First connection: 2026-11-20 12:10:00" in shown
    assert shown.count("Log of this ClientID") == 2


def test_then_it_says_exactly_who_will_be_cut_off(operator: Client, kettle: Product) -> None:
    first, second = two_clones(kettle)
    shown = text(operator.get(url("switch"), {"keep": first.client_id}))
    assert f"Stays A {first.client_id}" in shown
    assert "1 physical device is forbidden to connect 1 of them is connected now. 1 is cut off at once." in shown
    assert f"B {second.client_id} Allowed 2026-11-20 12:10:00 from 198.51.100.2 at emqx-1: cut off at once" in shown
    assert not DisconnectOrder.objects.exists()


def test_then_it_forbids_the_others_and_the_page_follows_the_cutting(operator: Client, kettle: Product) -> None:
    first, second = two_clones(kettle)
    answer = operator.post(url("switch"), {"keep": first.client_id, "reason": "B is a copy"}, follow=True)
    shown = text(answer)
    assert "the others are forbidden. 1 connection is to be cut off." in answer.content.decode()
    assert "Forbidden by Switch" in shown and "Forbidden, still connected" in shown
    assert "B 198.51.100.2 Waiting emqx-1 Another ClientID was kept" in shown
    second.refresh_from_db()
    assert not second.is_allowed
    entry = AuditEntry.objects.get(action="device.switch_client_id")
    assert (entry.actor_name, entry.reason) == ("admin", "B is a copy")


@pytest.mark.parametrize("keep", ["", "no-such-client-id"])
def test_nothing_happens_without_a_choice(operator: Client, kettle: Product, keep: str) -> None:
    two_clones(kettle)
    for answer in (operator.get(url("switch"), {"keep": keep}), operator.post(url("switch"), {"keep": keep})):
        assert "np-callout--danger" in answer.content.decode()
        assert "ClientID that stays" in text(answer)
    assert not DisconnectOrder.objects.exists()
    assert not AuditEntry.objects.filter(action="device.switch_client_id").exists()


def test_a_client_id_that_was_cleared_cannot_be_chosen(operator: Client, kettle: Product) -> None:
    first, _second = two_clones(kettle)
    client_ids.clear(first.device, by=cast.OPERATOR, at=minutes(20))
    answer = operator.get(url("switch"), follow=True)
    assert "not possible any more" in answer.content.decode()
    third = clone(kettle, NAME, at=minutes(21))
    shown = text(operator.get(url("switch")))
    assert third.client_id in shown and first.client_id not in shown


def test_a_forbidden_one_can_be_chosen_instead_and_the_page_says_that_it_is_allowed_again(operator: Client, kettle: Product) -> None:
    first, second = two_clones(kettle)
    client_ids.switch(first.device, keep=first.client_id, by=cast.OPERATOR, at=minutes(20))
    assert "will be allowed again" in text(operator.get(url("switch"), {"keep": second.client_id}))
    operator.post(url("switch"), {"keep": second.client_id})
    second.refresh_from_db()
    assert second.is_allowed


def test_a_refusal_of_the_service_comes_back_to_the_page(operator: Client, kettle: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _second = two_clones(kettle)

    def gone(*args: Any, **facts: Any) -> int:
        raise lifecycle.DeviceGone

    monkeypatch.setattr(client_ids, "switch", gone)
    assert "no longer in this data center" in text(operator.post(url("switch"), {"keep": first.client_id}))


# -- Clear -------------------------------------------------------------------------------------------------------------------------------
def test_clear_says_who_will_be_cut_off_and_forbids_all(operator: Client, kettle: Product) -> None:
    first, second = two_clones(kettle)
    shown = text(operator.get(url("clear")))
    assert "2 physical devices are forbidden to connect 2 of them are connected now. 2 are cut off at once." in shown
    assert "up to five physical devices may come under this name anew" in shown
    answer = operator.post(url("clear"), {"reason": "leaked"}, follow=True)
    assert "All ClientIDs of the device are forbidden. 2 connections are to be cut off." in answer.content.decode()
    assert AuditEntry.objects.get(action="device.clear_client_ids").reason == "leaked"
    assert not ClientIdentity.objects.filter(pk__in=(first.pk, second.pk), status="allowed").exists()


def test_clear_tells_what_a_broker_cannot_do(operator: Client, kettle: Product) -> None:
    two_clones(kettle, kind="mosquitto")
    shown = text(operator.get(url("clear")))
    assert "Whether 2 are connected now is not known" in shown
    assert "takes effect when it connects next: this broker cannot drop a client" in shown
    assert "at once" not in shown
    after = text(operator.post(url("clear"), follow=True))
    assert "Takes effect at its next connection" in after


def test_clear_tells_when_nobody_knows_where_to_ask_the_broker(operator: Client, kettle: Product) -> None:
    broker(cast.home(), url="")
    two_clones(kettle)
    assert "cut off when the address of the broker's management is set" in text(operator.get(url("clear")))


def test_a_clear_that_somebody_else_was_faster_with_is_told(operator: Client, kettle: Product) -> None:
    first, _second = two_clones(kettle)
    client_ids.clear(first.device, by=cast.OPERATOR, at=minutes(20))
    answer = operator.post(url("clear"), follow=True)
    assert "not possible any more" in answer.content.decode()
    assert AuditEntry.objects.filter(action="device.clear_client_ids").count() == 1


# -- Who may ---------------------------------------------------------------------------------------------------------------------------
def test_only_those_who_may_switch_see_the_buttons_and_pages(kettle: Product) -> None:
    two_clones(kettle)
    viewer = staff("view_device", "change_device")
    shown = page(viewer)
    assert "Switch" not in shown.partition("ClientIDs")[0] and "Clear" not in shown
    for view in ("switch", "clear"):
        assert viewer.get(url(view)).status_code == 403
        assert viewer.post(url(view), {"keep": ClientIdentity.objects.first()}).status_code == 403
    assert viewer.get(url("presence")).status_code == 200
    assert not DisconnectOrder.objects.exists()


def test_a_person_who_may_switch_but_not_see_devices_is_refused(kettle: Product) -> None:
    two_clones(kettle)
    assert staff("switch_client_id").get(url("switch")).status_code == 403


@pytest.mark.parametrize("view", ["switch", "clear", "presence"])
def test_a_device_that_is_not_there_is_not_found(operator: Client, kettle: Product, view: str) -> None:
    assert operator.get(reverse(f"admin:devices_device_{view}", args=["cn-shanghai-999"])).status_code == 404


# -- How the cutting goes ----------------------------------------------------------------------------------------------------------------
def test_the_page_asks_again_only_while_an_order_waits_and_its_version_tells_what_is_new(operator: Client, kettle: Product) -> None:
    first, second = two_clones(kettle)
    before = operator.get(url("presence")).json()
    assert not before["live"]
    assert "data-live" not in operator.get(url("change")).content.decode()
    client_ids.switch(first.device, keep=first.client_id, by=cast.OPERATOR, at=minutes(20))
    waiting = operator.get(url("presence")).json()
    assert waiting["live"] and waiting["version"] != before["version"]
    assert "data-live" in operator.get(url("change")).content.decode()
    order = DisconnectOrder.objects.get()
    disconnecting.order_done(order, OrderOutcome.CUT, at=minutes(21))
    after = operator.get(url("presence")).json()
    assert not after["live"] and after["version"] != waiting["version"]
    shown = page(operator)
    assert "B 198.51.100.2 Cut off emqx-1" in shown
    assert "2026-11-20 12:21:00 Cut off" in shown
    assert second.client_id not in shown.partition("Cut off at the broker")[0]


def test_a_broker_that_does_not_answer_is_named_with_its_error_and_the_next_attempt(operator: Client, kettle: Product) -> None:
    first, _second = two_clones(kettle)
    client_ids.switch(first.device, keep=first.client_id, by=cast.OPERATOR, at=minutes(20))
    disconnecting.order_failed(DisconnectOrder.objects.get(), "Connection refused <b>.", at=minutes(21))
    answer = operator.get(url("change"))
    assert "Broker unreachable" in text(answer)
    assert "after 1 attempt: Connection refused <b>. Next attempt at 12:21:00" in text(answer)
    assert "refused <b>" not in answer.content.decode()


def test_an_order_that_is_long_done_leaves_the_page(operator: Client, kettle: Product) -> None:
    first, _second = two_clones(kettle)
    client_ids.switch(first.device, keep=first.client_id, by=cast.OPERATOR, at=minutes(20))
    disconnecting.order_done(DisconnectOrder.objects.get(), OrderOutcome.CUT, at=minutes(-60 * 24))
    assert "Cut off at the broker" not in page(operator)
