"""What Prometheus reads at /metrics: what the processes have counted, and how things stand in the database at this moment.

Open to this machine alone, or to whoever knows NAMEPLATE_METRICS_TOKEN: the numbers say how much a company makes.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from console.shared.jobs import JobState
from devices.models import Batch, BatchFile, DisconnectOrder, SerialNumberRun, Upload
from products.models import DataCenter, Product
from registration.models import BrokerState

JOBS: dict[str, Any] = {"batch": Batch, "batch_file": BatchFile, "upload": Upload, "serial_numbers": SerialNumberRun}
LOOPBACK = ("127.0.0.1", "::1")
COUNTED_TO = 10_000


def metrics(request: HttpRequest) -> HttpResponse:
    """In Prometheus' text form."""
    if not _may_read(request):
        return HttpResponse(b"Only from this machine, or with NAMEPLATE_METRICS_TOKEN.\n", status=403, content_type="text/plain")
    state = CollectorRegistry()
    state.register(State(timezone.now()))
    return HttpResponse(generate_latest(_counted()) + generate_latest(state), content_type=CONTENT_TYPE_LATEST)


def _counted() -> CollectorRegistry:
    """By all processes of `serve`, which share a folder; by this process where there is none."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _may_read(request: HttpRequest) -> bool:
    token = settings.NAMEPLATE_METRICS_TOKEN
    if token:
        return compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    return request.META.get("REMOTE_ADDR") in LOOPBACK and "HTTP_X_FORWARDED_FOR" not in request.META


class State(Collector):
    """Read when it is asked for; a question that fails leaves its figures out, so that the others are still there when the database is
    in trouble."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def collect(self) -> Iterable[GaugeMetricFamily]:
        questions: tuple[Callable[[], Iterator[GaugeMetricFamily]], ...] = (self._jobs, self._supply, self._orders, self._brokers)
        up = GaugeMetricFamily("nameplate_database_up", "1 if the database answered these questions.")
        found: list[GaugeMetricFamily] = []
        try:
            for question in questions:
                found += question()
        except Exception:
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
        return [*found, up]

    def _jobs(self) -> Iterator[GaugeMetricFamily]:
        waiting = GaugeMetricFamily("nameplate_jobs", "Background jobs that wait or run.", labels=["kind", "state"])
        oldest = GaugeMetricFamily(
            "nameplate_oldest_queued_job_seconds", "How long the oldest job has waited for a worker.", labels=["kind"]
        )
        for kind, model in JOBS.items():
            for state in (JobState.QUEUED, JobState.RUNNING):
                waiting.add_metric([kind, state], model.objects.filter(state=state).order_by().count())
            first = model.objects.filter(state=JobState.QUEUED).order_by("requested_at").values_list("requested_at", flat=True).first()
            oldest.add_metric([kind], (self.at - first).total_seconds() if first else 0)
        yield waiting
        yield oldest

    def _supply(self) -> Iterator[GaugeMetricFamily]:
        codes = GaugeMetricFamily("nameplate_activation_codes_left", "Activation codes that a product has left.", labels=["product"])
        quota = GaugeMetricFamily("nameplate_device_quota_left", "Devices that a product may still have.", labels=["product"])
        for product in Product.objects.published():
            codes.add_metric([product.key], product.codes_left)
            quota.add_metric([product.key], product.devices_left)
        yield codes
        yield quota

    def _orders(self) -> Iterator[GaugeMetricFamily]:
        name, words = "nameplate_disconnect_orders_unreachable", "Clients to cut off whose broker does not answer."
        waiting = GaugeMetricFamily(name, words, labels=["data_center"])
        for center in DataCenter.objects.all():
            some = DisconnectOrder.objects.at(center).unreachable().order_by()[:COUNTED_TO]
            waiting.add_metric([center.code], some.count())
        yield waiting

    def _brokers(self) -> Iterator[GaugeMetricFamily]:
        silent = GaugeMetricFamily("nameplate_broker_silent_seconds", "Since a broker last answered its link.", labels=["broker"])
        for alias in sorted(set(DataCenter.objects.values_list("database", flat=True))):
            for state in BrokerState.objects.using(alias).filter(ok_at__isnull=False):
                silent.add_metric([str(state.broker_id)], (self.at - state.ok_at).total_seconds() if state.ok_at else 0)
        yield silent
