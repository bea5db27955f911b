"""What load balancers and watchdogs ask."""

from typing import Any

import pytest
from django.test import Client

from console import probes


def test_it_says_ok_without_asking_the_database() -> None:
    response = Client(headers={"host": "10.0.0.7"}).get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert dict(response.headers) == {"Content-Type": "text/plain", "Content-Length": "2"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_refuses_everything_but_reading(path: str) -> None:
    response = Client().post(path)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_it_is_ready_when_database_tables_and_key_ring_are_there(db: None) -> None:
    response = Client(headers={"host": "10.0.0.7"}).get("/readyz")
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert response.json() == {"ready": True, "checks": {"database": "ok", "tables": "ok", "key_ring": "ok"}}


@pytest.mark.parametrize("part", ["database", "tables", "key_ring"])
def test_it_names_the_part_that_fails_and_not_why(part: str, db: None, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def fail() -> None:
        raise OSError("connection to 10.1.2.3 refused for nameplate_user")

    monkeypatch.setitem(probes.CHECKS, part, fail)
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert [name for name, word in response.json()["checks"].items() if word == "failed"] == [part]
    assert "10.1.2.3" not in response.text
    assert "nameplate_user" in caplog.text, "the server's log says why"


def test_tables_older_than_the_code_are_not_ready(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Behind:
        def __init__(self, connection: Any) -> None:
            self.loader = self
            self.graph = self

        def leaf_nodes(self) -> list[str]:
            return ["0099"]

        def migration_plan(self, leaves: list[str]) -> list[str]:
            return leaves

    monkeypatch.setattr(probes, "MigrationExecutor", Behind)
    monkeypatch.setitem(probes.CHECKS, "tables", probes._tables.__wrapped__)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["checks"]["tables"]) == (503, "failed")
