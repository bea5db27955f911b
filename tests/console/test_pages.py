"""Pages around the admin: sign-in, errors, policy, people and the audit log."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from console.models import AuditEntry
from console.navigation import SECTIONS, link_to
from products.models import Product
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Any:
    user = cast.administrator()
    client.force_login(user)
    return user


def test_a_stranger_is_sent_to_the_sign_in_page(client: Client) -> None:
    for url in ("/", reverse("admin:products_product_changelist"), reverse("admin:account"), "/no/such/page/"):
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/")
    assert client.get("/login/").status_code == 200


def test_it_refuses_a_wrong_password_without_saying_which_part_was_wrong(client: Client) -> None:
    cast.administrator()
    known = client.post("/login/", {"username": "admin", "password": "wrong"}).content.decode()
    unknown = client.post("/login/", {"username": "nobody", "password": "wrong"}).content.decode()
    sentence = "Please enter the correct username and password"
    assert sentence in known
    assert sentence in unknown


def test_a_person_who_is_no_staff_stays_outside(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("visitor"))
    assert client.get("/").status_code == 302


def test_sign_in_leads_to_the_page_that_was_asked_for(client: Client) -> None:
    cast.administrator()
    page = reverse("admin:account")
    answer = client.post("/login/?next=" + page, {"username": "admin", "password": cast.PASSWORD, "next": page})
    assert answer["Location"] == page
    away = client.post("/login/", {"username": "admin", "password": cast.PASSWORD, "next": "https://elsewhere.example/"})
    assert away["Location"] == "/"


@pytest.mark.parametrize("code", ["400", "403", "404", "500", "403_csrf"])
def test_error_pages_need_nobody_and_nothing(code: str) -> None:
    page = render_to_string(f"{code}.html")
    assert "<script" not in page
    assert "Back to the console" in page


def test_a_page_that_is_not_there_is_told_in_our_look(client: Client, administrator: Any) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_the_policy_lets_a_page_load_nothing_from_elsewhere(client: Client, administrator: Any) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "http" not in policy


def test_every_place_of_the_sidebar_exists(client: Client, administrator: Any) -> None:
    cast.home()
    for _title, places in SECTIONS:
        for place in places:
            assert link_to(place.url_name), place.url_name
            assert client.get(link_to(place.url_name)).status_code == 200, place.url_name


def test_people_are_made_and_changed_with_an_audit_line_without_their_password(client: Client, administrator: Any) -> None:
    form = {"username": "oskar", "password1": "long enough 123", "password2": "long enough 123", "usable_password": "true"}
    answer = client.post(reverse("admin:auth_user_add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    oskar = get_user_model().objects.get(username="oskar")
    line = AuditEntry.objects.get(action="user.add")
    assert line.target_id == str(oskar.pk)
    assert line.actor_name == "admin"
    assert "long enough" not in str([line.before, line.after])


def test_only_an_administrator_touches_administrators_or_hands_out_rights(client: Client) -> None:
    root = cast.administrator("root")
    clerk = get_user_model().objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth", content_type__model="user"))
    client.force_login(clerk)
    page = reverse("admin:auth_user_change", args=[root.pk])
    assert client.post(page, {"username": "root2"}).status_code == 403
    assert client.post(reverse("admin:auth_user_password_change", args=[root.pk]), {}).status_code == 403
    assert client.post(reverse("admin:auth_user_delete", args=[root.pk]), {"post": "yes"}).status_code == 403
    own = reverse("admin:auth_user_change", args=[clerk.pk])
    client.post(own, {"username": "clerk", "is_active": "on", "is_staff": "on", "is_superuser": "on"})
    clerk.refresh_from_db()
    assert not clerk.is_superuser


def test_the_group_form_offers_only_permissions_that_a_page_asks_for(client: Client, administrator: Any) -> None:
    page = client.get(reverse("admin:auth_group_add")).content.decode()
    assert "Can read DeviceSecrets" in page
    assert "Can view audit entry" in page
    assert "Can change audit entry" not in page
    assert "used nonce" not in page
    client.post(reverse("admin:auth_group_add"), {"name": "Support", "permissions": [Permission.objects.get(codename="view_device").pk]})
    assert Group.objects.get(name="Support").permissions.count() == 1


def test_the_audit_log_is_searched_and_never_written(client: Client, administrator: Any) -> None:
    cast.home()
    cast.kettle()
    cast.meter()
    url = reverse("admin:console_auditentry_changelist")
    found = client.get(url, {"q": "product.create"}).context["cl"].result_list
    assert {entry.action for entry in found} == {"product.create"}
    assert len(client.get(url, {"q": "Kettle"}).context["cl"].result_list) == 2
    assert not client.get(url, {"q": "nothing such"}).context["cl"].result_list
    found = client.get(url, {"subject": "data_center"}).context["cl"].result_list
    assert {entry.action for entry in found} == {"data_center.add"}
    kettle = Product.objects.get(name="Kettle")
    found = client.get(url, {"target_type": "products.product", "target_id": str(kettle.pk)}).context["cl"].result_list
    assert {entry.target_label for entry in found} == {str(kettle)}
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert client.get(reverse("admin:console_auditentry_change", args=[entry.pk])).status_code == 200
    assert client.post(reverse("admin:console_auditentry_change", args=[entry.pk]), {"reason": "x"}).status_code == 403
    assert client.post(reverse("admin:console_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:console_auditentry_add")).status_code == 403
