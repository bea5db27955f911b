"""People: added with a role, changed by those who may, never beyond what these may do themselves."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.models import AuditEntry
from console.people import accounts, authority, groups, permissions, roles
from console.people.accounts import NewPerson, Rights
from console.shared.actors import SYSTEM, Actor
from products.models import ProductAccess
from products.services import access
from tests import cast
from tests.cast import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _roles() -> None:
    roles.make_missing(by=SYSTEM, at=NOON)


def person(name: str, role: str = "", **rights: Any) -> User:
    new, _password = accounts.add(NewPerson(name, rights=Rights(role=role, **rights)), by=SYSTEM, at=NOON)
    return User.objects.get(pk=new.pk)


def actor(user: User) -> Actor:
    return Actor(user.username, user.pk, "192.0.2.9")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def do(client: Client, target: User | Group, action: str, **data: Any) -> Any:
    return client.post(reverse(f"admin:auth_{target._meta.model_name}_{action}", args=[target.pk]), data)


# -- Adding -------------------------------------------------------------------------------------------------------------------------------
def test_a_person_is_added_in_one_step_with_a_role_and_products_and_can_sign_in() -> None:
    kettle, boss = cast.kettle(), signed_in(person("ada", roles.ADMINISTRATOR))
    form = {"username": "pia", "first_name": "Pia", "email": "pia@example.com", "role": "Production", "products": [kettle.pk]}
    answer = boss.post(reverse("admin:auth_user_add"), form)
    password = answer.context["shown"]["password"]
    assert password in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    pia = User.objects.get(username="pia")
    assert accounts.role_of(pia) == "Production" and pia.is_staff and not pia.is_superuser
    assert access.limit_of(pia) == {kettle.pk}
    assert pia.check_password(password)
    line = AuditEntry.objects.get(action="user.add", target_id=str(pia.pk))
    assert (line.actor_name, line.after) == ("ada", {"role": "Production", "groups": []})
    assert password not in str([line.before, line.after])


@pytest.mark.parametrize("name", ["ada", "a b", ""])
def test_it_refuses_a_user_name_that_is_taken_or_malformed(name: str) -> None:
    boss = signed_in(person("ada", roles.ADMINISTRATOR))
    answer = boss.post(reverse("admin:auth_user_add"), {"username": name, "role": "Viewer"})
    assert answer.context["form"].errors["username"]
    assert User.objects.count() == 1


# -- Changing -----------------------------------------------------------------------------------------------------------------------------
def test_rights_change_with_before_and_after_and_count_at_the_next_click() -> None:
    ada, vera = person("ada", roles.ADMINISTRATOR), person("vera", "Viewer")
    window = signed_in(vera)
    assert window.get(reverse("admin:products_product_add")).status_code == 403
    assert do(signed_in(ada), vera, "rights", role="Operator").status_code == 302
    assert window.get(reverse("admin:products_product_add")).status_code == 200
    line = AuditEntry.objects.get(action="user.rights")
    assert (line.before["role"], line.after["role"], line.actor_name) == ("Viewer", "Operator", "ada")


def test_a_further_group_adds_to_the_role() -> None:
    helpers = groups.add("Helpers", list(permissions.grantable().filter(codename="reset_device")), by=SYSTEM, at=NOON)
    vera = person("vera", "Viewer", groups=[helpers])
    assert vera.has_perms(["devices.reset_device", "devices.view_device"])
    assert accounts.role_of(vera) == "Viewer"


def test_names_change_and_one_may_change_ones_own() -> None:
    ada = person("ada", roles.ADMINISTRATOR)
    facts = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}
    assert do(signed_in(ada), ada, "edit", **facts).status_code == 302
    line = AuditEntry.objects.get(action="user.edit")
    assert line.before["first_name"] == "" and line.after["first_name"] == "Ada"


# -- Nobody beyond themselves --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("action", ["rights", "disable", "renew_password", "remove_second_factor"])
def test_nobody_changes_their_own_rights(action: str) -> None:
    person("other", roles.ADMINISTRATOR)
    ada = person("ada", roles.ADMINISTRATOR)
    TOTPDevice.objects.create(user=ada, confirmed=True)
    do(signed_in(ada), ada, action, role="", reason="because")
    calls: dict[str, Any] = {
        "rights": lambda: accounts.set_rights(ada.pk, Rights(), by=actor(ada), at=NOON),
        "disable": lambda: accounts.disable(ada.pk, reason="x", by=actor(ada), at=NOON),
        "renew_password": lambda: accounts.renew_password(ada.pk, reason="x", by=actor(ada), at=NOON),
        "remove_second_factor": lambda: accounts.remove_second_factor(ada.pk, reason="x", by=actor(ada), at=NOON),
    }
    with pytest.raises(authority.OwnRights):
        calls[action]()
    ada.refresh_from_db()
    assert ada.is_active and accounts.role_of(ada) == roles.ADMINISTRATOR and accounts.has_second_factor(ada)


@pytest.mark.parametrize("action", ["edit", "rights", "disable", "renew_password", "remove_second_factor"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_administrator_does_not_touch_a_superuser(action: str, method: str) -> None:
    root, ada = cast.administrator("root"), person("ada", roles.ADMINISTRATOR)
    TOTPDevice.objects.create(user=root, confirmed=True)
    before = AuditEntry.objects.count()
    url = reverse(f"admin:auth_user_{action}", args=[root.pk])
    assert getattr(signed_in(ada), method)(url, {"role": "", "reason": "because", "first_name": "X"}).status_code == 403
    root.refresh_from_db()
    assert root.is_active and root.first_name == "" and AuditEntry.objects.count() == before


def test_no_page_makes_a_superuser() -> None:
    ada, vera = person("ada", roles.ADMINISTRATOR), person("vera")
    do(signed_in(ada), vera, "rights", role="Viewer", is_superuser="on")
    do(signed_in(ada), vera, "edit", first_name="V", is_superuser="on", is_staff="on")
    signed_in(ada).post(reverse("admin:auth_user_add"), {"username": "nina", "role": "Viewer", "is_superuser": "on"})
    assert not User.objects.filter(is_superuser=True).exists()


def test_who_may_manage_people_hands_out_no_more_than_they_have() -> None:
    manage = permissions.grantable().filter(codename__in=["add_user", "change_user", "view_user", "see_every_product"])
    clerks = groups.add("Clerks", list(manage), by=SYSTEM, at=NOON)
    clerk, vera, nina = person("clerk", groups=[clerks]), person("vera", "Viewer"), person("nina")
    assert do(signed_in(clerk), nina, "rights", role="Security").context["offers"]["rights"].form.errors["role"]
    answer = signed_in(clerk).post(reverse("admin:auth_user_add"), {"username": "accomplice", "role": roles.ADMINISTRATOR})
    assert answer.context["form"].errors["role"]
    assert do(signed_in(clerk), vera, "renew_password", reason="I want to be Vera").status_code == 403
    assert not User.objects.filter(username="accomplice").exists()
    assert accounts.role_of(nina) == ""


def test_a_group_gives_no_more_than_its_maker_has_and_not_to_the_maker() -> None:
    manage = permissions.grantable().filter(codename__in=["add_group", "change_group", "view_group", "see_every_product"])
    clerks = groups.add("Clerks", list(manage), by=SYSTEM, at=NOON)
    clerk, more = person("clerk", groups=[clerks]), list(permissions.grantable().filter(codename="reset_device"))
    with pytest.raises(authority.NotYours):
        groups.add("More", more, by=actor(clerk), at=NOON)
    with pytest.raises(authority.OwnRights):
        groups.change(clerks.pk, "Clerks", [], by=actor(clerk), at=NOON)
    with pytest.raises(authority.NotYours):
        groups.change(Group.objects.get(name="Viewer").pk, "Viewer", more, by=actor(clerk), at=NOON)


# -- The last administrator ----------------------------------------------------------------------------------------------------------------
def test_the_last_administrator_can_neither_be_disabled_nor_demoted() -> None:
    ada = person("ada", roles.ADMINISTRATOR)
    with pytest.raises(authority.LastAdministrator):
        accounts.disable(ada.pk, reason="x", by=SYSTEM, at=NOON)
    with pytest.raises(authority.LastAdministrator):
        accounts.set_rights(ada.pk, Rights(role="Viewer"), by=SYSTEM, at=NOON)
    ada.refresh_from_db()
    assert ada.is_active and accounts.role_of(ada) == roles.ADMINISTRATOR
    bea = person("bea", roles.ADMINISTRATOR)
    assert do(signed_in(bea), ada, "disable", reason="left").status_code == 302


def test_a_disabled_person_is_out_at_the_next_click_and_back_when_enabled() -> None:
    ada, vera = person("ada", roles.ADMINISTRATOR), person("vera", "Viewer")
    window = signed_in(vera)
    assert do(signed_in(ada), vera, "disable").context["offers"]["disable"].form.errors["reason"], "a reason is asked for"
    assert do(signed_in(ada), vera, "disable", reason="left the company").status_code == 302
    assert window.get("/").status_code == 302
    assert AuditEntry.objects.get(action="user.disable").reason == "left the company"
    assert do(signed_in(ada), vera, "enable").status_code == 302
    assert User.objects.get(pk=vera.pk).is_active


# -- Lost phones ---------------------------------------------------------------------------------------------------------------------------
def test_a_lost_second_factor_is_removed_with_a_reason() -> None:
    ada, vera = person("ada", roles.ADMINISTRATOR), person("vera", "Viewer")
    assert "remove_second_factor" not in signed_in(ada).get(reverse("admin:auth_user_change", args=[vera.pk])).context["offers"]
    TOTPDevice.objects.create(user=vera, confirmed=True)
    do(signed_in(ada), vera, "remove_second_factor")
    assert accounts.has_second_factor(vera), "not without a reason"
    assert do(signed_in(ada), vera, "remove_second_factor", reason="phone in the lake").status_code == 302
    assert not accounts.has_second_factor(vera)
    line = AuditEntry.objects.get(action="user.remove_second_factor")
    assert (line.actor_name, line.target_label, line.reason) == ("ada", "vera", "phone in the lake")


def test_a_new_password_is_shown_once_and_ends_the_sessions() -> None:
    ada, vera = person("ada", roles.ADMINISTRATOR), person("vera", "Viewer")
    window = signed_in(vera)
    password = do(signed_in(ada), vera, "renew_password", reason="forgotten").context["shown"]["password"]
    assert window.get("/").status_code == 302
    assert User.objects.get(pk=vera.pk).check_password(password)


# -- Groups --------------------------------------------------------------------------------------------------------------------------------
def test_a_group_is_added_changed_and_deleted_with_the_difference_in_the_audit() -> None:
    boss = signed_in(cast.administrator())
    view = permissions.grantable().get(codename="view_device")
    reset = permissions.grantable().get(codename="reset_device")
    boss.post(reverse("admin:auth_group_add"), {"name": "Support", "permissions": [view.pk]})
    support = Group.objects.get(name="Support")
    assert do(boss, support, "edit", name="Support", permissions=[reset.pk]).status_code == 302
    line = AuditEntry.objects.get(action="group.change")
    assert line.before["permissions"] == ["devices.view_device"] and line.after["permissions"] == ["devices.reset_device"]
    assert do(boss, support, "remove", reason="nobody in it").status_code == 302
    assert not Group.objects.filter(name="Support").exists()


def test_the_five_roles_keep_their_names_and_stay() -> None:
    viewer = Group.objects.get(name="Viewer")
    for call in (
        lambda: groups.change(viewer.pk, "Looker", [], by=SYSTEM, at=NOON),
        lambda: groups.remove(viewer.pk, reason="", by=SYSTEM, at=NOON),
    ):
        with pytest.raises(groups.RoleStays):
            call()
    page = signed_in(cast.administrator()).get(reverse("admin:auth_group_change", args=[viewer.pk]))
    assert "remove" not in page.context["offers"] and "edit" in page.context["offers"]


def test_chosen_products_are_changed_with_the_rights() -> None:
    kettle, lamp, pia = cast.kettle(), cast.lamp(), person("pia", "Production")
    ada = person("ada", roles.ADMINISTRATOR)
    do(signed_in(ada), pia, "rights", role="Production", products=[kettle.pk])
    do(signed_in(ada), pia, "rights", role="Production", products=[lamp.pk])
    assert [row.product_id for row in ProductAccess.objects.filter(user=pia)] == [lamp.pk]
    line = AuditEntry.objects.filter(action="user.products").first()
    assert line is not None and line.before == {"products": [kettle.key]} and line.after == {"products": [lamp.key]}
