"""Brokers in the console: added, changed, renewed and deleted with an audit line, and lines to paste that work."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry
from products.models import Broker, BrokerKind
from products.services import brokers
from registration.admin.broker_lines import PLACEHOLDER, lines_of
from registration.models import BrokerState
from registration.protocols.presented_certificates import HEADERS
from tests import cast
from tests.cast import NOON
from tests.registration.hooking import DENIALS, HOOKED, PROXIES, Asked, Hooking, broker

pytestmark = pytest.mark.django_db
each_kind = pytest.mark.parametrize("kind", [*HOOKED, *PROXIES])
MANAGEMENT: dict[str, Any] = {
    "management_url": "http://broker:15672",
    "management_user": "console",
    "management_secret": "m-secret",
    "vhost": "/",
}


@pytest.fixture(autouse=True)
def administrator(client: Client) -> Any:
    cast.home()
    brokers.forget()
    user = cast.administrator()
    client.force_login(user)
    return user


def page(client: Client, row: Broker) -> str:
    return str(client.get(reverse("admin:products_broker_change", args=[row.pk])).content.decode())


def do(client: Client, row: Broker, action: str, **data: object) -> Any:
    return client.post(reverse(f"admin:products_broker_{action}", args=[row.pk]), data)


def actions() -> list[str]:
    return list(AuditEntry.objects.filter(target_type="products.broker").order_by("id").values_list("action", flat=True))


@each_kind
def test_a_broker_is_added_with_a_secret_that_nobody_sees(client: Client, kind: str) -> None:
    facts = MANAGEMENT | {"name": "Main", "kind": kind, "data_center": cast.home().pk, "enabled": "on", "events_url": "amqp://u:p@h/%2F"}
    answer = client.post(reverse("admin:products_broker_add"), facts)
    row = Broker.objects.get()
    assert (answer.status_code, row.kind, row.enabled, row.management_url) == (302, kind, True, "http://broker:15672")
    assert (brokers.access(row).management_secret, brokers.access(row).events_url) == ("m-secret", "amqp://u:p@h/%2F")
    shown = page(client, row)
    secret = brokers.reveal_hook_secret(row, by=cast.OPERATOR, at=NOON)
    assert PLACEHOLDER in shown
    for hidden in (secret, "m-secret", "amqp://u:p@h"):
        assert hidden not in shown and hidden not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"management_url": "broker:15672"}, "management_url"),
        ({"events_url": "http://broker"}, "events_url"),
        ({"name": ""}, "name"),
        ({"kind": "embedded"}, "kind"),
        ({"kind": "hivemq"}, "kind"),
        ({"name": "Taken"}, "name"),
    ],
)
def test_each_error_names_its_field(client: Client, facts: dict[str, str], field: str) -> None:
    brokers.save(Broker(), data_center=cast.home(), name="Taken", kind="emqx", by=cast.OPERATOR, at=NOON)
    new = MANAGEMENT | {"name": "Main", "kind": "emqx", "data_center": cast.home().pk}
    answer = client.post(reverse("admin:products_broker_add"), new | facts)
    assert list(answer.context["form"].errors) == [field]
    assert Broker.objects.count() == 1


def test_an_edit_keeps_the_secrets_that_were_left_empty(client: Client) -> None:
    row = broker("rabbitmq", **MANAGEMENT, events_url="amqp://u:p@h/%2F").row
    do(client, row, "edit", name="Other", vhost="fleet", management_url="http://other:15672", management_user="u", enabled="on")
    row.refresh_from_db()
    assert (row.name, row.vhost, row.kind) == ("Other", "fleet", "rabbitmq")
    assert (brokers.access(row).management_secret, brokers.access(row).events_url) == ("m-secret", "amqp://u:p@h/%2F")
    do(client, row, "edit", name="Other", management_secret="new")
    row.refresh_from_db()
    assert (row.enabled, brokers.access(row).management_secret) == (False, "new")
    assert actions()[-2:] == ["broker.change", "broker.change"]


@each_kind
def test_the_secret_is_shown_once_and_stands_in_the_lines(client: Client, kind: str) -> None:
    asking = broker(kind)
    assert asking.secret not in page(client, asking.row)
    answer = do(client, asking.row, "reveal_secret")
    shown = answer.content.decode()
    assert shown.count(asking.secret) > 2 and PLACEHOLDER not in shown
    assert "no-store" in answer.headers["Cache-Control"]
    assert actions()[-1] == "broker.reveal_hook_secret"
    assert asking.secret not in page(client, asking.row)


def test_a_renewal_asks_first_and_makes_the_old_secret_void(client: Client) -> None:
    asking = broker("mosquitto")
    asked = client.get(reverse("admin:products_broker_renew_secret", args=[asking.row.pk])).content.decode()
    assert "The old one is void at once" in asked
    answer = do(client, asking.row, "renew_secret")
    new = answer.context["shown"]["hook_secret"]
    brokers.forget()
    assert new != asking.secret and answer.content.decode().count(new) > 2
    assert brokers.by_hook_secret(asking.secret, "mosquitto") is None
    assert brokers.by_hook_secret(new, "mosquitto")


def test_it_is_deleted_by_its_own_action_alone(client: Client) -> None:
    asking = broker("emqx")
    assert client.post(reverse("admin:products_broker_delete", args=[asking.row.pk]), {"post": "yes"}).status_code == 403
    answer = do(client, asking.row, "remove")
    assert answer["Location"] == reverse("admin:products_broker_changelist")
    assert not Broker.objects.exists()
    assert actions()[-1] == "broker.delete"


@each_kind
def test_it_says_what_its_kind_can_do(client: Client, kind: str) -> None:
    row = broker(kind).row
    shown = page(client, row)
    assert ("can be cut off here at once" in shown) == (kind in ("rabbitmq", "emqx", "vernemq"))
    assert ("takes effect when the device connects the next time" in shown) == (kind in ("mosquitto", "nanomq"))
    assert ("shown as last seen" in shown) == (kind in ("mosquitto", *PROXIES))
    assert ("Each request is decided anew" in shown) == (kind in PROXIES)
    assert ("Without a management URL" in shown) == row.can_drop


def test_it_shows_how_the_link_stands(client: Client) -> None:
    row = broker("rabbitmq", **MANAGEMENT).row
    BrokerState.objects.create(broker=row, ok_at=NOON, error="The broker did not answer.", error_at=NOON)
    shown = page(client, row)
    assert "The broker did not answer." in shown and "2026-11-20" in shown


def test_the_embedded_broker_has_nothing_to_paste_and_no_secret_to_show(client: Client) -> None:
    brokers.embedded(cast.home())
    row = Broker.objects.get(kind=BrokerKind.EMBEDDED)
    shown = page(client, row)
    assert PLACEHOLDER not in shown and "nothing to configure" in shown
    assert do(client, row, "reveal_secret").status_code == 302
    do(client, row, "edit_embedded", name="Laptop")
    row.refresh_from_db()
    assert (row.name, row.enabled, row.kind) == ("Laptop", False, "embedded")


@pytest.mark.parametrize("rights", [["view_broker"], ["view_broker", "change_broker"]])
@pytest.mark.parametrize("action", ["reveal_secret", "renew_secret", "remove"])
def test_who_may_look_may_not_read_or_renew_the_secret(client: Client, rights: list[str], action: str) -> None:
    asking = broker("emqx")
    reader = get_user_model().objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__in=[*rights, "see_every_product"]))
    client.force_login(reader)
    assert do(client, asking.row, action).status_code == 403
    assert f"do/{action}/" not in page(client, asking.row)
    assert brokers.by_hook_secret(asking.secret, "emqx")


@pytest.mark.parametrize("kind", HOOKED)
@pytest.mark.parametrize("base", ["http://192.0.2.7:8000", "https://console.example"])
def test_the_urls_in_its_lines_are_its_own_hooks(kind: str, base: str) -> None:
    """Every place that the lines name answers as this kind does, and none of them another."""
    asking = broker(kind)
    text = "\n".join(lines.text for lines in lines_of(kind, base, asking.secret))
    paths = set(re.findall(rf"(?:{base}|[ \"])(/hooks/[^\s\"]*)", text))
    assert paths and (kind == "emqx" or all(asking.secret in path for path in paths))
    assert kind != "emqx" or f"Bearer {asking.secret}" in text
    for path in paths:
        headers = {"Authorization": f"Bearer {asking.secret}"} if kind == "emqx" else {}
        call = path.rpartition("/")[2] if kind != "vernemq" else ""
        answer: Any = Client(headers=headers).post(path, b"{}", content_type="application/json")
        assert answer.status_code in (200, DENIALS[kind][0])
        refused: Any = Hooking(asking.row, "wrong").send(Asked(call, b"{}", "application/json"))
        assert (refused.status_code, refused.content) == DENIALS[kind]
    tls = base.startswith("https")
    assert kind != "emqx" or text.count(f"ssl {{ enable = {str(tls).lower()}") == 3
    assert kind != "nanomq" or text.count("application/json") == 3
    if kind == "mosquitto":
        assert f"http_with_tls {str(tls).lower()}" in text and f"http_port {443 if tls else 8000}" in text


@pytest.mark.parametrize("kind", PROXIES)
@pytest.mark.parametrize("base", ["http://192.0.2.7:8000", "https://console.example"])
def test_a_proxy_s_lines_set_every_header_that_is_read_and_none_of_another_proxy_s(kind: str, base: str) -> None:
    text = "\n".join(lines.text for lines in lines_of(kind, base, "the-secret")).lower()
    own = {
        "nginx": {"x-ssl-client-verify", "x-ssl-client-cert"},
        "haproxy": {"x-ssl-client-used", "x-ssl-client-verify", "x-ssl-client-der", "x-ssl-client-chain-der"},
        "envoy": {"x-forwarded-client-cert"},
    }[kind]
    named = {header.lower() for header in HEADERS if re.search(rf"{header.lower()}(?![\w-])", text)}
    assert named == own
    assert text.count("the-secret") == 1 and "x-proxy-secret" in text and "x-forwarded-for" in text
    assert set(re.findall(r"/hooks/[\w/]+", text)) == {f"/hooks/{kind}/connect"}
    assert (base in text) if kind != "haproxy" else (base.partition("//")[2].partition(":")[0] in text)
    checked = {
        "nginx": "proxy_ssl_verify on",
        "haproxy": "ssl verify required ca-file @system-ca sni str(",
        "envoy": "trusted_ca: {filename: /etc/ssl",
    }
    assert (checked[kind] in text) == base.startswith("https")


def test_emqx_and_vernemq_are_told_to_hand_certificates_on() -> None:
    emqx, vernemq = ("\n".join(lines.text for lines in lines_of(kind, "http://console", "s")) for kind in ("emqx", "vernemq"))
    assert 'cert_pem = "${cert_pem}"' in emqx and "verify = verify_peer" in emqx and "fail_if_no_peer_cert = false" in emqx
    assert "forward_connection_opts = on" in vernemq and "use_identity_as_username = off" in vernemq


def test_vernemq_s_lines_name_every_hook_that_it_answers() -> None:
    from registration.api.hooks.vernemq import HOOKS

    text = lines_of("vernemq", "http://console", "s")[0].text
    assert set(re.findall(r"\.hook = (\S+)", text)) == set(HOOKS.calls)
    assert text.count("no_payload = on") == 2


def test_nobody_finds_brokers_in_the_sidebar_without_the_right(client: Client) -> None:
    assert reverse("admin:products_broker_changelist") in client.get(reverse("admin:index")).content.decode()
    client.force_login(get_user_model().objects.create_user("nobody", is_staff=True))
    assert reverse("admin:products_broker_changelist") not in client.get(reverse("admin:index")).content.decode()
