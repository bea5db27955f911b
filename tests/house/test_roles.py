"""The table of roles says of every permission who holds it, and the documents say the same."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from console.models import AuditEntry
from console.people import permissions, roles
from tests.cast import NOON, OPERATOR

pytestmark = pytest.mark.django_db
SECRETS = {
    "products.view_productsecret", "products.reveal_hook_secret", "devices.reveal_device_secret", "devices.add_downloadcode",
    "console.add_apikey",
}  # fmt: skip


def test_every_permission_has_its_line_and_every_line_its_permission() -> None:
    known = {permissions.name_of(permission) for permission in permissions.grantable()}
    lines = set(roles.table())
    assert sorted(known - lines) == [], "new permissions: say in console/people/roles.py who holds them"
    assert sorted(lines - known) == [], "permissions of the table that do not exist"


def test_an_administrator_may_do_everything_and_a_viewer_reads_no_secret() -> None:
    assert roles.permissions_of(roles.ADMINISTRATOR) == set(roles.table())
    for role in ("Viewer", "Operator", "Production"):
        assert not roles.permissions_of(role) & SECRETS
    assert all(".view_" in name or name == "products.see_every_product" for name in roles.permissions_of("Viewer"))
    assert "products.see_every_product" not in roles.permissions_of("Production")


def test_roles_are_made_once_and_then_left_as_they_were_changed() -> None:
    assert roles.make_missing(by=OPERATOR, at=NOON) == list(roles.ROLES)
    viewer = Group.objects.get(name="Viewer")
    assert roles.held_by(viewer) == roles.permissions_of("Viewer")
    viewer.permissions.clear()
    Group.objects.get(name="Security").delete()
    assert roles.make_missing(by=OPERATOR, at=NOON) == ["Security"]
    assert roles.held_by(viewer) == set()


def test_a_changed_role_is_brought_back_with_an_audit_line_of_the_difference() -> None:
    roles.make_missing(by=OPERATOR, at=NOON)
    assert roles.restore(by=OPERATOR, at=NOON) == []
    production = Group.objects.get(name="Production")
    production.permissions.remove(production.permissions.get(codename="view_batch"))
    production.permissions.add(*permissions.grantable().filter(codename="add_product"))
    assert roles.restore(by=OPERATOR, at=NOON) == ["Production"]
    assert roles.held_by(production) == roles.permissions_of("Production")
    line = AuditEntry.objects.get(action="group.restore")
    assert line.before == {"permissions": ["products.add_product"]}
    assert line.after == {"permissions": ["devices.view_batch"]}


def test_the_operations_guide_has_the_same_table() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
    for name, holders in roles.table().items():
        marks = " | ".join("x" if role in holders else " " for role in roles.ROLES)
        assert f"| `{name}` | {marks} |" in text, f"docs/operations.md: | `{name}` | {marks} |"
