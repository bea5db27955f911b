"""What if it registered now (N2): the same answer as a device would get, and nothing has changed afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.errors import DomainError
from console.shared import keyring
from devices.models import AutoCreation, ClientIdentity, Device, PreImportedDevice
from devices.models.pre_import import device_secret_owner
from devices.services import client_ids, connections
from products.models import Product, ProductSecret, Reregistration
from products.services import data_centers, lookup
from registration.models import DeviceLogEntry
from registration.protocols.alibaba_mqtt import AlibabaMqtt
from registration.protocols.base import Credentials
from registration.protocols.connecting import DeviceCredentials
from registration.services import enrolment, explain
from tests import cast
from tests.registration import connecting
from tests.registration.connecting import Thing
from tests.registration.knocking import SECRETS

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
NAME = "lamp-0001"
SOON = cast.NOON + timedelta(minutes=1)
OURS = ("console", "products", "devices", "registration")

SITUATIONS = st.fixed_dictionaries(
    {
        "published": st.sampled_from([True, True, False]),
        "dynamic_registration": st.sampled_from([True, True, False]),
        "per_product_secret": st.sampled_from([True, True, False]),
        "auto_create_limit": st.sampled_from([0, 1, 2]),
        "created": st.sampled_from([None, 0, 1, 2]),
        "preregistration_free": st.booleans(),
        "once": st.booleans(),
        "new_secret_each_time": st.booleans(),
        "live_secret": st.sampled_from([True, True, True, False]),
        "row": st.sampled_from([None, "dynamic", "static", "x509"]),
        "authentication": st.sampled_from([None, "dynamic", "dynamic", "dynamic", "static", "x509"]),
        "enabled": st.sampled_from([True, True, False]),
        "registered": st.booleans(),
        "activated": st.booleans(),
        "switched": st.booleans(),
        "active_client_ids": st.sampled_from([0, 1, 5]),
        "issued": st.booleans(),
    }
)


def everything() -> dict[str, list[Any]]:
    """Every row of every table of ours."""
    tables = [model for model in apps.get_models() if model.__module__.split(".")[0] in OURS]
    return {model._meta.label: list(model._default_manager.using("default").order_by("pk").values()) for model in tables}


def forget() -> None:
    """What this process keeps of products and data centers."""
    lookup.forget()
    data_centers.forget()


@pytest.fixture(autouse=True)
def nothing_kept_of_earlier_tests() -> None:
    forget()


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    forget()


def given_situation(facts: dict[str, Any]) -> Product:
    cast.home()
    product = cast.lamp(
        status="published" if facts["published"] else "developing",
        dynamic_registration=facts["dynamic_registration"],
        per_product_secret=facts["per_product_secret"],
        auto_create=bool(facts["auto_create_limit"]),
        auto_create_limit=facts["auto_create_limit"],
        preregistration_free=facts["preregistration_free"],
        reregistration=Reregistration.ONCE if facts["once"] else Reregistration.UNTIL_ACTIVATED,
        new_secret_each_time=facts["new_secret_each_time"],
    )
    if not facts["live_secret"]:
        ProductSecret.objects.filter(product=product).update(valid_until=cast.NOON)
    if facts["created"] is not None:
        AutoCreation.objects.create(product=product, created=facts["created"])
    if facts["row"]:
        cast.row(product, NAME, facts["row"])
    if facts["authentication"]:
        _device(product, facts)
    return product


def _device(product: Product, facts: dict[str, Any]) -> None:
    device = Device.objects.create(
        data_center=cast.home(),
        product=product,
        device_name=NAME,
        authentication=facts["authentication"],
        enabled=facts["enabled"],
        sealed_secret=keyring.seal("DeviceSecretOfLamp0001", owner=device_secret_owner(product.pk, NAME)),
        created_at=cast.NOON,
        registered_at=cast.NOON if facts["registered"] else None,
        activated_at=cast.NOON if facts["activated"] else None,
        client_ids_active=facts["active_client_ids"],
    )
    if facts["issued"]:
        opened = {"dynamic_registration": True, "per_product_secret": True, "preregistration_free": True}
        before = Product.objects.filter(pk=product.pk).values(*opened).get()
        Product.objects.filter(pk=product.pk).update(**opened)
        Device.objects.filter(pk=device.pk).update(enabled=True, authentication="dynamic", client_ids_active=0)
        lookup.forget()
        _issue(product)
        Product.objects.filter(pk=product.pk).update(**before)
        as_said = {name: facts[name] for name in ("enabled", "authentication")}
        Device.objects.filter(pk=device.pk).update(client_ids_active=facts["active_client_ids"], **as_said)
    Device.objects.filter(pk=device.pk).update(switched_at=cast.NOON if facts["switched"] else None)


TOKENS: dict[str, str] = {}
"""Of the ClientIDs that this process issued."""


def _issue(product: Product) -> None:
    known = lookup.find_for_registration(product.key, at=cast.NOON)
    issued = client_ids.issue(data_center=cast.home(), product=known, device_name=NAME, at=cast.NOON)
    TOKENS[issued.client_id] = issued.device_token


def what_if(product: Product, name: str = NAME) -> explain.Explanation:
    return explain.what_if(product=product, data_center=cast.home(), device_name=name, at=SOON)


def really_register(product: Product, *, free: bool, name: str = NAME) -> tuple[str, tuple[str, ...]]:
    """A device comes over its own wire; what its log entry says."""
    scheme = AlibabaMqtt(4, "regnwl" if free else "register")
    request = scheme.compose(Credentials(product.key, SECRETS[product.key], name), host="shanghai.devices.test", at=SOON, nonce=7)
    enrolment.register(protocol=scheme, request=request, peer_address="192.0.2.9", at=SOON)
    entry = DeviceLogEntry.objects.latest("pk")
    return entry.code, tuple(entry.path)


def really_connect(product: Product, client_id: str = "") -> tuple[str, tuple[str, ...]]:
    on_file = connections.look_up(data_center=cast.home(), product_id=product.pk, device_name=NAME)
    credentials = DeviceCredentials(product.key, NAME, on_file.secret or "guessed", client_id, TOKENS.get(client_id, ""))
    verdict = connecting.connect(Thing("alibaba", credentials), at=SOON)
    return verdict.code, tuple(connecting.entry(verdict).path)


def agree(real: tuple[str, tuple[str, ...]], foreseen: explain.Foreseen) -> bool:
    """Word for word; of a proof that no secret could make, a device's own last sentence is about its signature."""
    code, path = real
    unproven = code in ("bad_signature", "bad_credential")
    return code == foreseen.code and (path[:-1] == foreseen.path[:-1] if unproven else path == foreseen.path)


@given(facts=SITUATIONS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_it_says_what_a_real_device_is_then_told(facts: dict[str, Any]) -> None:
    with undone():
        product = given_situation(facts)
        foreseen = what_if(product)
        with undone():
            assert agree(really_register(product, free=False), foreseen.registration)
        assert (foreseen.free is not None) == facts["preregistration_free"]
        if foreseen.free:
            with undone():
                assert agree(really_register(product, free=True), foreseen.free)
        with undone():
            assert agree(really_connect(product), foreseen.connection)
        for client in foreseen.clients:
            with undone():
                assert agree(really_connect(product, client.client_id), client)


@given(facts=SITUATIONS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nothing_has_changed_afterwards(facts: dict[str, Any]) -> None:
    with undone():
        product = given_situation(facts)
        before = everything()
        what_if(product)
        assert everything() == before


def test_a_name_may_be_typed_in_any_spelling() -> None:
    kettle = cast.kettle()
    cast.row(kettle, "A4C138000001")
    foreseen = what_if(kettle, "a4:c1:38:00:00:01")
    assert (foreseen.accepted, foreseen.device_name) == (True, "A4C138000001")


def test_a_name_that_breaks_the_product_s_rule_is_refused_as_a_device_s_would_be() -> None:
    foreseen = what_if(cast.kettle(), "teapot")
    assert foreseen.code == foreseen.connection.code == "bad_device_name"
    assert "MAC" in foreseen.path[-1]


def test_each_data_center_answers_for_itself() -> None:
    centers, lamp = [cast.home(), cast.frankfurt()], cast.lamp()
    cast.row(lamp, NAME)
    with undone():
        really_register(lamp, free=False)
        cast.activate(Device.objects.at(cast.home()).get())
        codes = [explain.what_if(product=lamp, data_center=center, device_name=NAME, at=SOON).code for center in centers]
    assert codes == ["already_activated", "accepted"]


def test_a_device_of_a_batch_that_is_being_undone_would_not_come() -> None:
    from devices.models import Batch

    lamp = cast.lamp()
    cast.home()
    row = cast.row(lamp, NAME)
    batch = Batch.objects.create(product=lamp, source="upload", total=1, requested_at=cast.NOON, undo_began_at=cast.NOON)
    PreImportedDevice.objects.filter(pk=row.pk).update(batch=batch)
    foreseen = what_if(lamp)
    assert (foreseen.code, foreseen.connection.code) == ("not_imported", "device_unknown")
    assert really_register(lamp, free=False) == (foreseen.code, foreseen.path)


def test_a_closed_place_of_a_clone_is_foreseen() -> None:
    """Five are active: the sixth physical device of the name has its ClientID and cannot come in."""
    lamp = cast.lamp(preregistration_free=True)
    _issue(lamp)
    Device.objects.update(client_ids_active=5)
    (client,) = what_if(lamp).clients
    assert (client.code, client.client_id) == ("client_limit", ClientIdentity.objects.get().client_id)


def test_a_broken_key_ring_is_told_as_an_internal_error_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    lamp = cast.lamp()

    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise DomainError

    monkeypatch.setattr(enrolment.admission, "foresee", broken)
    assert what_if(lamp).code == "internal"
