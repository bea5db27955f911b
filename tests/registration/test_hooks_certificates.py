"""Devices with certificates at EMQX and VerneMQ, and the same defects and mutations through their hooks and those of the proxies."""

import base64
import json
import random
from collections.abc import Iterator

import pytest
from django.utils import timezone

from devices.models import Connection, Device
from products.services import authorities, brokers
from registration.api.hooks.emqx import NOTHING_ELSE
from registration.models import DeviceLogEntry
from registration.services import recorder
from tests import cast
from tests.console import x509_unreadable, x509_untrusted
from tests.console.x509_mutations import in_place
from tests.console.x509_parts import NOW
from tests.registration import presenting
from tests.registration.connecting import with_row_s_secret
from tests.registration.hooking import DENIALS, PROXIES, Hooking, broker
from tests.registration.presenting import NAME, Door, asks, authority, below, leaf, newest, nobody_came, on_file, presented

pytestmark = pytest.mark.django_db
NATIVE = f"a1LampKey01/{NAME}"
EACH_KIND = ["emqx", "vernemq"]
SEED = 20261121
MUTATIONS = 60
"""Through each of five doors, beside certificates with a defect each: several hundred in all. The judge alone is tried with many more."""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    cast.home()
    brokers.forget()
    authorities.forget()
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture(params=EACH_KIND)
def asking(request: pytest.FixtureRequest) -> Hooking:
    return broker(request.param)


def test_a_device_comes_in_by_its_certificate_without_a_password(asking: Hooking) -> None:
    presenting.lamp()
    assert asking.allows(asking.send(asks(asking, (leaf(),), username=NATIVE)))
    assert (newest().code, newest().protocol, newest().address) == ("accepted", "x509", "198.51.100.23")
    assert Connection.objects.get().device.device_name == NAME
    assert asking.denies(asking.send(asks(asking, (leaf(key_name="another"),), username=NATIVE)))
    assert newest().code == "certificate_not_pinned"


def test_emqx_gets_the_rules_of_a_device_that_sends_no_user_name() -> None:
    presenting.lamp()
    emqx = broker("emqx")
    said = json.loads(emqx.send(asks(emqx, (leaf(),))).content)
    assert said["result"] == "allow" and said["is_superuser"] is False
    topics = {rule["topic"] for rule in said["acl"]}
    assert f"/a1LampKey01/{NAME}/#" in topics and all(
        NAME in topic or topic in {*NOTHING_ELSE, "/broadcast/a1LampKey01/#"} for topic in topics
    )


def test_vernemq_asks_about_topics_by_the_user_name_so_that_it_needs_one() -> None:
    presenting.lamp()
    vernemq = broker("vernemq")
    assert vernemq.denies(vernemq.send(asks(vernemq, (leaf(),))))
    assert newest().code == "product_not_named"


@pytest.mark.parametrize("nothing", ["", "undefined", "null", None])
def test_who_presents_none_goes_on_by_its_password(asking: Hooking, nothing: str | None) -> None:
    product = presenting.lamp()
    assert asking.denies(asking.send(asks(asking, (), username=NATIVE, password="x" * 40)))
    assert newest().code != "no_certificate" and nobody_came()
    text = with_row_s_secret(cast.row(product, "lamp-2")).presents(NOW)
    asked = json.loads(asks(asking, ()).body)
    asked |= {"username": text.username, "password": text.password, "clientid": text.client_id, "client_id": text.client_id}
    asked |= {"cert_pem": nothing, "client_cert": nothing}
    whole = asks(asking, ())
    assert asking.allows(asking.send(type(whole)(whole.call, json.dumps(asked).encode(), whole.content_type, whole.headers)))


@pytest.mark.parametrize("text", ["x", "=", "A" * 30, "é", base64.b64encode(b"no certificate").decode(), "A" * 66_000])
def test_a_certificate_that_cannot_be_read_is_refused_and_in_the_log(asking: Hooking, text: str) -> None:
    """Also where a password comes with it: somebody presented something that is none."""
    product = presenting.lamp()
    device = cast.row(product, "lamp-2")
    asked = asks(asking, (), username=f"a1LampKey01/{device.device_name}", password="x" * 40, cert_pem=text, client_cert=text)
    assert asking.denies(asking.send(asked))
    assert nobody_came()
    if len(text) < 60_000:
        assert (newest().code, newest().protocol) in {("malformed", "x509"), ("certificate_unreadable", "x509")}


def test_the_intermediate_certificate_has_to_be_on_file_where_the_broker_hands_on_the_leaf_alone(asking: Hooking) -> None:
    product = presenting.lamp()
    made, middle = below()
    assert asking.denies(asking.send(asks(asking, (made, middle), username=NATIVE)))
    assert newest().code == "certificate_issuer_unknown"
    on_file(middle, product)
    assert asking.allows(asking.send(asks(asking, (made, middle), username=NATIVE)))


@pytest.mark.parametrize("kind", ["rabbitmq", "mosquitto", "nanomq"])
def test_other_brokers_cannot_hand_one_on(kind: str) -> None:
    presenting.lamp()
    other = broker(kind)
    answer = other.connect(presented(username=NATIVE))
    assert other.denies(answer) and newest().code == "malformed"


# -- Whatever is wrong with it -------------------------------------------------------------------------------------------------------------
def wrong_chains() -> Iterator[tuple[bytes, ...]]:
    """Certificates that no path holds for, and ones that are none; the anchors are those of the CA named CA."""
    for kinds, most in ((x509_untrusted.KINDS, 4), (x509_unreadable.KINDS, 2)):
        for name in kinds:
            for one in kinds.all_of(name)[:most]:
                if not one.anchors:
                    yield one.presented


def mutations(rng: random.Random) -> Iterator[tuple[bytes, ...]]:
    for _ in range(MUTATIONS):
        yield (in_place(rng, leaf()),)


@pytest.mark.parametrize("kind", [*EACH_KIND, *PROXIES])
def test_no_defect_and_no_mutation_gets_in_or_crashes(kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Each answer is the kind's own refusal, byte for byte."""
    presenting.lamp()
    on_file(authority(), cast.tracker())
    here, codes = broker(kind), list[str]()
    monkeypatch.setattr(recorder, "put", lambda record: codes.append(record.code))
    chains = [*wrong_chains(), *(chain for chain in mutations(random.Random(SEED)) if chain[0] != leaf())]
    assert len(chains) > 120
    for chain in chains:
        if kind in PROXIES:
            answer = Door(here).ask(chain, X_Product_Key="a1LampKey01")
            assert answer.status_code == 403 and answer.json()["code"] == "refused"
        else:
            answer = here.send(asks(here, chain, username=NATIVE))
            assert (answer.status_code, answer.content) == DENIALS[kind]
    assert len(codes) == len(chains) and not {"accepted", "internal", "unavailable"} & set(codes)
    assert len(set(codes)) >= 10
    assert "Traceback" not in caplog.text
    assert not Device.objects.exists() and not DeviceLogEntry.objects.exists()
