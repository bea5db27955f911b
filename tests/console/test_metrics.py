"""What Prometheus reads: the doors' decisions, the jobs, and who may read it."""

import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from devices.models import Batch
from tests import cast, processes
from tests.registration.knocking import knock

pytestmark = pytest.mark.django_db


def read(client: Client | None = None, **facts: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """(name, labels) -> value."""
    response = (client or Client()).get("/metrics", **facts)
    assert response.status_code == 200, response.text
    return samples(response.text)


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


def test_a_door_s_decision_is_counted_by_its_reason() -> None:
    cast.home()
    product = cast.kettle(dynamic_registration=True, per_product_secret=True)
    decided = key("nameplate_decisions_total", data_center="cn-shanghai", event="registration", protocol="alibaba", code="not_imported")
    before = read().get(decided, 0)
    knock(product, "4C11AE0000FF")
    after = read()
    assert after[decided] == before + 1
    assert after[key("nameplate_door_seconds_count", door="metrics", status="200")] >= 1


def test_jobs_that_wait_are_there_with_the_age_of_the_oldest() -> None:
    cast.home()
    product = cast.kettle()
    Batch.objects.create(product=product, flashing_method="per_device", source="automatic", total=10, requested_at=cast.NOON)
    found = read()
    assert found[key("nameplate_jobs", kind="batch", state="queued")] == 1
    assert found[key("nameplate_oldest_queued_job_seconds", kind="batch")] > 0
    assert found[key("nameplate_activation_codes_left", product=product.key)] == 1_000
    assert found[key("nameplate_database_up")] == 1


def test_the_number_of_questions_does_not_grow_with_the_rows(django_assert_max_num_queries: Any) -> None:
    cast.home()
    cast.kettle()
    with django_assert_max_num_queries(18):
        read()


def test_a_database_in_trouble_leaves_the_counts_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.metrics import State

    def fail(self: Any) -> Any:
        raise OSError("gone")

    monkeypatch.setattr(State, "_supply", fail)
    assert read()[key("nameplate_database_up")] == 0


@pytest.mark.parametrize(
    "facts",
    [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, {"HTTP_AUTHORIZATION": "Bearer x"} | {"REMOTE_ADDR": "10.0.0.1"}],
)
def test_it_is_for_this_machine_alone(facts: dict[str, str]) -> None:
    assert Client().get("/metrics", **facts).status_code == 403


def test_a_token_opens_it_to_others_and_closes_it_to_everybody_without(settings: Any) -> None:
    settings.NAMEPLATE_METRICS_TOKEN = "a-long-token"
    assert Client().get("/metrics").status_code == 403
    assert Client().get("/metrics", HTTP_AUTHORIZATION="Bearer another").status_code == 403
    assert read(REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION="Bearer a-long-token")


def test_the_processes_of_a_server_count_together(transactional_db: None, tmp_path: Path) -> None:
    """Two web processes: whichever answers says the sum of both."""
    (tmp_path / "metrics").mkdir()
    server = processes.start_server(tmp_path, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics"), NAMEPLATE_WEB_WORKERS="2")
    try:
        asked, both = 0, time.monotonic() + 30
        while len(list((tmp_path / "metrics").iterdir())) < 2:  # Until the second process has answered too.
            assert time.monotonic() < both, f"One process answered all of {asked}."
            urlopen(Request(f"{server.url}/healthz", headers={"Connection": "close"})).close()
            asked += 1
        with urlopen(f"{server.url}/metrics") as answer:
            found = samples(answer.read().decode())
        assert found[key("nameplate_door_seconds_count", door="alive", status="200")] == asked
    finally:
        server.stop()
