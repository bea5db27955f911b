"""What is counted while the house works, for Prometheus. The names and labels are an interface: dashboards and alerts use them.

All processes of one `serve` count into files of one folder (prometheus_client's multiprocess mode, PROMETHEUS_MULTIPROC_DIR).
"""

from prometheus_client import Counter, Histogram

DECISIONS = Counter(
    "nameplate_decisions",
    "Registrations, connections and their ends, by what was decided.",
    ["data_center", "event", "protocol", "code"],
)
DOOR_SECONDS = Histogram(
    "nameplate_door_seconds",
    "Answers at the doors of devices and brokers, from the request's first line to the answer's last byte in our hands.",
    ["door", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
PAGE_SECONDS = Histogram(
    "nameplate_page_seconds",
    "Answers of the console and the management API.",
    ["view", "method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
RECORDS_DROPPED = Counter("nameplate_records_dropped", "Records of connections that a database did not take in time.", ["database"])
