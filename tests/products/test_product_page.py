"""Products in the console: made and changed on their page, by POST, with permission, and with the documents' words before what hurts."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry, VerificationCode
from products.admin.actions import PRODUCT_ACTIONS
from products.models import CodeGrant, Product
from tests import cast

pytestmark = pytest.mark.django_db
ADD = {
    "name": "Lamp",
    "wire_protocol": "alibaba",
    "network_protocol": "mqtt",
    "device_name_kind": "mac",
    "device_quota": "500000",
    "key": "",
    "secret": "",
}


@pytest.fixture
def administrator(client: Client) -> Any:
    cast.home()
    user = cast.administrator()
    client.force_login(user)
    return user


@pytest.fixture
def meter(administrator: Any) -> Product:
    """In development, all switches off."""
    return cast.meter(status="developing", dynamic_registration=False, per_product_secret=False)


def page_of(product: Product) -> str:
    return reverse("admin:products_product_change", args=[product.pk])


def url_of(product: Product, action: str) -> str:
    return reverse(f"admin:products_product_{action}", args=[product.pk])


def do(client: Client, product: Product, action: str, **fields: object) -> str:
    """The page after the action."""
    answer = client.post(url_of(product, action), fields, follow=True)
    product.refresh_from_db()
    return answer.content.decode()


# -- Making one --------------------------------------------------------------------------------------------------------------------------
def test_a_product_is_made_with_key_and_secret_of_its_own(client: Client, administrator: Any) -> None:
    answer = client.post(reverse("admin:products_product_add"), ADD)
    product = Product.objects.get()
    assert answer["Location"] == page_of(product)
    assert len(product.key) == 11
    assert not product.dynamic_registration
    assert AuditEntry.objects.get(action="product.create").actor_name == "admin"


def test_a_fleet_brings_its_key_and_secret(client: Client, administrator: Any) -> None:
    given = {"wire_protocol": "tencent", "key": "L4WG9V9M2M", "secret": "hzvf5LF9S0isvBhDSauWMaIk"}
    client.post(reverse("admin:products_product_add"), ADD | given)
    assert Product.objects.get().key == "L4WG9V9M2M"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Kettle"}, "name"),
        ({"key": "a1ExpAkj9Hi"}, "key"),
        ({"key": "with space"}, "key"),
        ({"wire_protocol": "tencent", "key": "lowercase1"}, "key"),
        ({"secret": "short"}, "secret"),
        ({"network_protocol": "bluetooth", "device_name_kind": "imei"}, "device_name_kind"),
        ({"device_quota": "500001"}, "device_quota"),
        ({"device_quota": "0"}, "device_quota"),
        ({"wire_protocol": "zigbee"}, "wire_protocol"),
    ],
)
def test_each_error_names_its_field(client: Client, administrator: Any, facts: dict[str, str], field: str) -> None:
    cast.kettle()
    answer = client.post(reverse("admin:products_product_add"), ADD | facts)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert Product.objects.count() == 1


# -- Its page ----------------------------------------------------------------------------------------------------------------------------
def test_the_page_shows_the_key_and_hides_the_secret(client: Client, administrator: Any) -> None:
    page = client.get(page_of(cast.kettle())).content.decode()
    assert "a1ExpAkj9Hi" in page
    assert "h1nQFYPZS0mW1234" not in page


def test_the_secret_is_shown_once_by_post_and_audited(client: Client, administrator: Any) -> None:
    kettle = cast.kettle()
    assert "h1nQFYPZS0mW1234" not in client.get(url_of(kettle, "reveal_secret")).content.decode()
    assert not AuditEntry.objects.filter(action="product.reveal_secret").exists()
    answer = client.post(url_of(kettle, "reveal_secret"))
    assert "h1nQFYPZS0mW1234" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.filter(action="product.reveal_secret").count() == 1
    assert "h1nQFYPZS0mW1234" not in client.get(page_of(kettle)).content.decode()


def test_a_plain_get_changes_nothing(client: Client, meter: Product) -> None:
    before = Product.objects.values().get(pk=meter.pk)
    lines = AuditEntry.objects.count()
    for action in PRODUCT_ACTIONS:
        client.get(url_of(meter, action.name))
    assert Product.objects.values().get(pk=meter.pk) == before
    assert AuditEntry.objects.count() == lines
    assert not VerificationCode.objects.exists()


def test_publish_and_withdraw(client: Client, meter: Product) -> None:
    do(client, meter, "publish")
    assert meter.is_published
    page = do(client, meter, "withdraw", reason="bad firmware")
    assert not meter.is_published
    assert "devices of a product in development are refused" in page
    assert AuditEntry.objects.get(action="product.withdraw").reason == "bad firmware"


def test_what_has_happened_meanwhile_is_said_and_not_done_again(client: Client, meter: Product) -> None:
    do(client, meter, "publish")
    assert "not possible any more" in do(client, meter, "publish")
    assert AuditEntry.objects.filter(action="product.publish").count() == 1


def test_facts_are_edited_and_errors_come_back_into_the_dialog(client: Client, meter: Product) -> None:
    cast.kettle()
    facts = {"name": "Meter 2", "network_protocol": "mqtt", "device_name_kind": "imei", "device_quota": "1000"}
    do(client, meter, "edit", **facts)
    assert (meter.name, meter.network_protocol, meter.device_quota) == ("Meter 2", "mqtt", 1000)
    answer = client.post(url_of(meter, "edit"), facts | {"name": "Kettle"})
    assert list(answer.context["offers"]["edit"].form.errors) == ["name"]
    assert answer.context["offers"]["edit"].is_open
    assert "data-open" in answer.content.decode()


def test_the_quota_cannot_go_below_what_exists(client: Client, administrator: Any) -> None:
    kettle = cast.kettle()
    for number in range(3):
        cast.row(kettle, f"A4C13800000{number}")
    facts = {"name": "Kettle", "network_protocol": "mqtt", "device_name_kind": "mac", "device_quota": "2"}
    answer = client.post(url_of(kettle, "edit"), facts)
    assert list(answer.context["offers"]["edit"].form.errors) == ["device_quota"]


# -- Dynamic registration (A2, T2) ---------------------------------------------------------------------------------------------------------
def test_turning_on_takes_a_code_and_asks_about_automatic_creation(client: Client, meter: Product, administrator: Any) -> None:
    page = do(client, meter, "request_code")
    assert "server&#x27;s log" in page
    assert "Create devices automatically" in page
    code = VerificationCode.objects.get(user=administrator).token
    do(client, meter, "turn_on", code=code, auto_create="on", auto_create_limit="50")
    assert (meter.dynamic_registration, meter.auto_create, meter.auto_create_limit) == (True, True, 50)
    assert meter.per_product_secret


def test_without_automatic_creation_only_the_list_registers(client: Client, meter: Product, administrator: Any) -> None:
    do(client, meter, "request_code")
    do(client, meter, "turn_on", code=VerificationCode.objects.get(user=administrator).token)
    assert meter.dynamic_registration
    assert not meter.auto_create


def test_it_refuses_a_wrong_code_and_after_three_there_is_none(client: Client, meter: Product, administrator: Any) -> None:
    do(client, meter, "request_code")
    code = VerificationCode.objects.get(user=administrator).token
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert "Tries left: 2" in do(client, meter, "turn_on", code=wrong)
    do(client, meter, "turn_on", code=wrong)
    assert "void" in do(client, meter, "turn_on", code=wrong)
    assert "void" in do(client, meter, "turn_on", code=code)
    assert not meter.dynamic_registration


@pytest.mark.parametrize("limit", ["", "0", "500001", "-1", "many"])
def test_a_bad_limit_names_its_field_and_leaves_the_code_unused(client: Client, meter: Product, administrator: Any, limit: str) -> None:
    do(client, meter, "request_code")
    code = VerificationCode.objects.get(user=administrator).token
    answer = client.post(url_of(meter, "turn_on"), {"code": code, "auto_create": "on", "auto_create_limit": limit})
    assert list(answer.context["offers"]["turn_on"].form.errors) == ["auto_create_limit"]
    do(client, meter, "turn_on", code=code)
    assert meter.dynamic_registration


def test_a_person_who_cannot_be_reached_is_told_why(client: Client, meter: Product, settings: Any) -> None:
    settings.NAMEPLATE_CODE_CHANNEL = "totp"
    assert "You have no authenticator app yet" in do(client, meter, "request_code")


def test_turning_off_needs_no_code(client: Client, administrator: Any) -> None:
    kettle = cast.kettle(auto_create=True, auto_create_limit=5)
    page = do(client, kettle, "turn_off")
    assert not kettle.dynamic_registration
    assert "Activation requests are refused" in page


def test_automatic_creation_is_changed_on_the_page(client: Client, administrator: Any) -> None:
    kettle = cast.kettle()
    do(client, kettle, "automatic_creation", auto_create="on", auto_create_limit="7")
    assert (kettle.auto_create, kettle.auto_create_limit) == (True, 7)
    assert "limit" in do(client, kettle, "automatic_creation", auto_create="on", auto_create_limit="0")
    assert kettle.auto_create_limit == 7


# -- Words before what hurts -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("request_code", "risk that these are disclosed"),
        ("enable_per_product", "An activated device cannot obtain its certificate again"),
        ("enable_per_product", "restored to factory settings"),
        ("enable_per_product", "must then be flashed again"),
        ("allow_preregistration_free", "At most five physical devices"),
    ],
)
def test_a_warning_stands_before_opening(client: Client, meter: Product, action: str, sentence: str) -> None:
    assert sentence in client.get(url_of(meter, action)).content.decode()


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("disable_per_product", "can no longer be activated. This does not affect devices that are already connected"),
        ("disable_per_product", "customer complaints and financial losses"),
        ("disable_per_product", "do not disable it"),
        ("turn_off", "Devices that are already activated are not affected"),
        ("withdraw", "cannot be activated until you publish the product again"),
    ],
)
def test_a_warning_stands_before_closing(client: Client, administrator: Any, action: str, sentence: str) -> None:
    page = client.get(url_of(cast.kettle(), action)).content.decode()
    assert sentence in page
    assert "This is a high-risk operation" in page


def test_flashing_methods_and_other_switches(client: Client, meter: Product) -> None:
    do(client, meter, "enable_per_product")
    assert meter.per_product_secret
    do(client, meter, "disable_per_product", reason="")
    assert not meter.per_product_secret
    do(client, meter, "allow_preregistration_free")
    assert meter.preregistration_free
    do(client, meter, "refuse_preregistration_free")
    assert not meter.preregistration_free
    do(client, meter, "policy", reregistration="once", new_secret_each_time="on")
    assert (meter.reregistration, meter.new_secret_each_time) == ("once", True)


def test_codes_are_granted_and_listed(client: Client, administrator: Any) -> None:
    kettle = cast.kettle()
    page = do(client, kettle, "grant_codes", quantity="500", note="order 12")
    assert kettle.codes_left == 1500
    assert "order 12" in page
    assert "order 12" in client.get(reverse("admin:products_codegrant_changelist")).content.decode()
    answer = client.post(url_of(kettle, "grant_codes"), {"quantity": "0"})
    assert list(answer.context["offers"]["grant_codes"].form.errors) == ["quantity"]
    assert CodeGrant.objects.count() == 2


# -- Who may -------------------------------------------------------------------------------------------------------------------------------
def person(client: Client, *codenames: str) -> None:
    user = get_user_model().objects.create_user("person", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*codenames, "see_every_product"]))
    client.force_login(user)


def test_a_person_who_may_look_can_do_nothing(client: Client, meter: Product) -> None:
    person(client, "view_product")
    answer = client.get(page_of(meter))
    assert answer.status_code == 200
    assert not answer.context["offers"]
    assert "changes" not in answer.context and "grants" not in answer.context
    for action in PRODUCT_ACTIONS:
        assert client.get(url_of(meter, action.name)).status_code == 403
        assert client.post(url_of(meter, action.name)).status_code == 403
    assert client.post(page_of(meter), {"name": "x"}).status_code == 403
    assert client.get(reverse("admin:products_product_add")).status_code == 403


def test_reading_the_secret_is_a_right_of_its_own(client: Client, administrator: Any) -> None:
    kettle = cast.kettle()
    person(client, "view_product", "change_product")
    assert client.post(url_of(kettle, "reveal_secret")).status_code == 403
    person_with = get_user_model().objects.get(username="person")
    person_with.user_permissions.add(Permission.objects.get(codename="view_productsecret"))
    assert "h1nQFYPZS0mW1234" in client.post(url_of(kettle, "reveal_secret")).content.decode()


def test_a_product_is_never_deleted(client: Client, meter: Product) -> None:
    answer = client.post(reverse("admin:products_product_delete", args=[meter.pk]), {"post": "yes"})
    assert answer.status_code == 403
    assert Product.objects.filter(pk=meter.pk).exists()


def test_the_product_list_is_filtered_and_searched(client: Client, meter: Product) -> None:
    cast.kettle()
    url = reverse("admin:products_product_changelist")
    assert [row.name for row in client.get(url, {"q": "a1Exp"}).context["cl"].result_list] == ["Kettle"]
    assert [row.name for row in client.get(url, {"status__exact": "developing"}).context["cl"].result_list] == ["Meter"]


def test_an_empty_list_says_what_to_do(client: Client, administrator: Any) -> None:
    page = client.get(reverse("admin:products_product_changelist")).content.decode()
    assert "No product yet" in page
    assert reverse("admin:products_product_add") in page
