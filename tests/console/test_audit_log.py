"""The audit log: found by person, subject, action, time and target; read in words; exported; never written."""

import ast
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse

from console import audit
from console.models import AuditEntry
from console.people import audit_export
from console.shared.actors import SYSTEM, Actor
from console.shared.audit_actions import ACTIONS, SUBJECTS
from devices.models import Device
from products.models import Product
from tests import cast
from tests.cast import NOON
from tests.house.source import python_files, tree

NO_ACTIONS = {"product.key", "mac_pool.name"}
LIST = "/console/auditentry/"
MANY = 1_000_000
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(cast.administrator())
    return client


def found(client: Client, **conditions: str) -> list[AuditEntry]:
    return list(client.get(LIST, conditions).context["cl"].result_list)


# -- Finding -------------------------------------------------------------------------------------------------------------------------------
def test_it_is_found_by_person_subject_action_target_and_time(boss: Client) -> None:
    cast.home()
    kettle = cast.kettle()
    cast.meter()
    audit.record("product.publish", kettle, by=Actor("vera", 7, "192.0.2.44"), at=NOON)
    assert [entry.actor_name for entry in found(boss, who="vera")] == ["vera"]
    assert {entry.action for entry in found(boss, subject="data_center")} == {"data_center.add"}
    assert {entry.target_label for entry in found(boss, action="product.create")} == {str(kettle), str(Product.objects.get(name="Meter"))}
    assert {entry.target_label for entry in found(boss, what="Kett")} == {str(kettle)}
    assert {entry.target_label for entry in found(boss, target_type="products.product", target_id=str(kettle.pk))} == {str(kettle)}
    assert found(boss, at_from_0="2026-11-20", at_to_0="2026-11-20")
    assert not found(boss, at_from_0="2026-11-22")


def test_a_search_takes_beginnings_and_whole_values(boss: Client) -> None:
    kettle = cast.kettle()
    audit.record("product.publish", kettle, by=Actor("vera", 7, "192.0.2.44"), at=NOON)
    for term in ("vera", "192.0.2.44", "product.publish", "Kettle"):
        assert "product.publish" in {entry.action for entry in found(boss, q=term)}, term
    assert not found(boss, q="ettle")
    assert not found(boss, q="nothing such")


def test_nobody_writes_it(boss: Client) -> None:
    cast.kettle()
    entry = AuditEntry.objects.first()
    assert entry is not None
    page = reverse("admin:console_auditentry_change", args=[entry.pk])
    assert boss.get(page).status_code == 200
    assert boss.post(page, {"reason": "x"}).status_code == 403
    assert boss.post(reverse("admin:console_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert boss.get(reverse("admin:console_auditentry_add")).status_code == 403
    with pytest.raises(TypeError):
        AuditEntry.objects.update(reason="x")
    with pytest.raises(TypeError):
        entry.delete()


@pytest.mark.postgres
def test_postgresql_itself_keeps_it_append_only() -> None:
    cast.kettle()
    for statement in ("UPDATE console_auditentry SET reason = 'x'", "DELETE FROM console_auditentry"):
        with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# -- Reading -------------------------------------------------------------------------------------------------------------------------------
def test_an_entry_shows_before_and_after_side_by_side_in_words(boss: Client) -> None:
    kettle = cast.kettle()
    by, sides = Actor("vera", 7, "192.0.2.44"), {"before": {"device_quota": 1000, "auto_create": False}, "after": {"device_quota": 500000}}
    audit.record("product.change", kettle, by=by, at=NOON, reason="a new contract", **sides)
    entry = AuditEntry.objects.get(action="product.change")
    answer = boss.get(reverse("admin:console_auditentry_change", args=[entry.pk]))
    facts = [tuple(fact) for fact in answer.context["facts"]]
    assert facts == [("Device quota", "1,000", "500,000"), ("Automatic creation", "no", "–")]
    page = answer.content.decode()
    assert "Product changed" in page and "a new contract" in page and "192.0.2.44" in page
    assert answer.context["target_url"] == reverse("admin:products_product_change", args=[kettle.pk])


def test_an_entry_leads_to_its_target_while_that_exists(boss: Client) -> None:
    center, kettle = cast.home(), cast.kettle()
    device = Device(data_center=center, product=kettle, device_name="A4C138000001", created_at=NOON)
    device.save()
    audit.record("device.edit", device, by=SYSTEM, at=NOON)
    url = reverse("admin:console_auditentry_change", args=[AuditEntry.objects.get(action="device.edit").pk])
    assert boss.get(url).context["target_url"] == reverse("admin:devices_device_change", args=[f"{center.code}-{device.pk}"])
    Device.objects.filter(pk=device.pk).delete()
    assert boss.get(url).context["target_url"] == ""


def test_every_action_of_the_source_has_words() -> None:
    """Also those that a variable names: whatever has the form noun.verb with a noun of the audit."""
    missing = {
        text
        for path in python_files("console", "products", "devices", "registration")
        for text in _texts(path)
        if text.partition(".")[0] in SUBJECTS and text.count(".") == 1 and text not in NO_ACTIONS | set(ACTIONS)
    }
    recorded = {text for path in python_files("console", "products", "devices", "registration") for text in _recorded(path)}
    assert not missing, f"say in console/shared/audit_actions.py what these are called: {sorted(missing)}"
    assert not recorded - set(ACTIONS), f"say in console/shared/audit_actions.py what these are called: {sorted(recorded - set(ACTIONS))}"
    assert {action.partition(".")[0] for action in ACTIONS} == set(SUBJECTS)


def _texts(path: Path) -> set[str]:
    found = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in found if text.replace(".", "").replace("_", "").isalpha() and text.islower() and not text.endswith(".notice")}


def _recorded(path: Path) -> set[str]:
    """The first argument of every audit.record(...), as far as it is written there."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record" and node.args:
            found |= {one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {text for text in found if "." in text}


# -- Exporting -----------------------------------------------------------------------------------------------------------------------------
def test_the_export_holds_what_the_list_shows_and_is_an_entry_itself(boss: Client) -> None:
    kettle = cast.kettle()
    audit.record("product.change", kettle, by=Actor("=vera", 7, "192.0.2.44"), at=NOON, after={"name": "Kettle"}, reason="=1+1")
    url = reverse("admin:console_auditentry_export")
    page = boss.get(url, {"action": "product.change"})
    assert page.context["number"] == 1 and page.context["conditions"]
    answer = boss.post(f"{url}?action=product.change")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [row["action"] for row in rows] == ["product.change"]
    assert rows[0]["words"] == "Product changed" and '"Kettle"' in rows[0]["after"]
    assert not rows[0]["reason"].startswith("=") and not rows[0]["who"].startswith("=")
    line = AuditEntry.objects.get(action="audit.export")
    assert (line.actor_name, line.count) == ("admin", 1)
    assert line.after == {"conditions": {"Action": "Product changed"}}


def test_an_export_in_pages_has_every_entry_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "PAGE", 2)
    for number in range(5):
        audit.record("product.change", f"thing {number}", by=SYSTEM, at=NOON)
    rows = list(audit_export.export(AuditEntry.objects.all(), conditions={}, by=SYSTEM, at=NOON))
    assert [row[7] for row in rows] == [f"thing {number}" for number in reversed(range(5))]


# -- A million entries ---------------------------------------------------------------------------------------------------------------------
ROWS = """
INSERT INTO console_auditentry
    (at, actor_id, actor_name, address, action, target_type, target_id, target_label, before, after, reason, count)
SELECT timestamptz '2026-01-01' + n * interval '20 seconds', 1, 'person-' || n %% 40, '192.0.2.' || n %% 250,
       CASE WHEN n %% 10 < 7 THEN 'device.reset' WHEN n %% 1000 = 999 THEN 'broker.delete' ELSE 'pre_import.edit' END,
       'devices.device', (n %% 500000)::text, lpad(to_hex(n %% 500000), 12, '0'), '{}', '{}', '', 1
FROM generate_series(1, %s) AS n
"""
MOST_READ = 3_000
"""Blocks of 8 KiB for one page; the table has some 20,000 and its indexes as many."""


@pytest.mark.postgres
@pytest.mark.slow
def test_a_page_of_a_million_entries_costs_as_little_as_one_of_a_thousand(boss: Client, django_assert_max_num_queries: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [MANY])
        cursor.execute("ANALYZE console_auditentry")
    conditions: list[dict[str, str]] = [
        {}, {"who": "person-7"}, {"who": "nobody"}, {"subject": "device"}, {"subject": "broker"}, {"subject": "api_key"},
        {"action": "broker.delete"}, {"action": "product.create"}, {"what": "00000000abcd"}, {"what": "zzz"},
        {"what": "00000000abc"}, {"q": "person-7"},
        {"q": "192.0.2.17"}, {"q": "00000000abc"}, {"q": "nothing such"}, {"target_type": "devices.device", "target_id": "4711"},
        {"at_from_0": "2026-03-01", "at_to_0": "2026-03-02"},
    ]  # fmt: skip
    for asked in conditions:
        with django_assert_max_num_queries(22):
            answer = boss.get(LIST, asked)
        assert answer.status_code == 200
        plan = _plan(answer.context["cl"].queryset[:26])
        if "Shared Hit Blocks" not in plan:
            continue  # The database was not asked: nothing has this name.
        read = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        assert read < MOST_READ, f"{asked}: {read} blocks\n{plan}"


def _plan(entries: Any) -> dict[str, Any]:
    told = entries.explain(format="json", analyze=True, buffers=True)
    return dict(json.loads(told)[0]["Plan"]) if told else {}
