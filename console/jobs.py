"""How background jobs travel: Celery's settings for Redis, or for a folder where there is none.

Rows are the truth and messages are nudges, so nothing here has to be exact: a lost message is sent again by a sweep, a
doubled one finds the row claimed.
"""

from pathlib import Path
from typing import Any

REGULAR: dict[str, dict[str, Any]] = {
    "send lost jobs again": {"task": "devices.sweep", "schedule": 10.0, "options": {"expires": 10.0}},
    "issue receipts": {"task": "devices.issue_receipts", "schedule": 10.0, "options": {"expires": 10.0}},
    "add the log to the figures": {"task": "registration.keep_figures", "schedule": 15.0, "options": {"expires": 15.0}},
    "count the device lists": {"task": "registration.count_fleet", "schedule": 60.0, "options": {"expires": 60.0}},
    "forget kept answers": {"task": "console.forget_answers", "schedule": 3600.0},
    "purge old sessions": {"task": "console.purge_sign_ins", "schedule": 3600.0},
    "purge used nonces": {"task": "registration.purge_nonces", "schedule": 600.0},
    "purge the device log": {"task": "registration.purge_log", "schedule": 6 * 3600.0},
    "purge ended connections": {"task": "registration.purge_connections", "schedule": 6 * 3600.0},
    "fetch revocation lists": {"task": "products.fetch_revocation_lists", "schedule": 60.0, "options": {"expires": 60.0}},
    "cut off by what was revoked lately": {"task": "devices.cut_revoked_again", "schedule": 30.0, "options": {"expires": 30.0}},
    "cut off by all that is revoked": {"task": "devices.cut_all_revoked", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "purge ended certificates": {"task": "products.purge_issued_certificates", "schedule": 24 * 3600.0},
    "purge unused ClientIDs": {"task": "registration.purge_unused_client_ids", "schedule": 6 * 3600.0},
}
"""What beat sends: name -> {"task": dotted name, "schedule": seconds}."""

COMMON: dict[str, Any] = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "timezone": "UTC",
    "broker_connection_retry_on_startup": True,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_enable_remote_control": False,
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "beat_schedule": REGULAR,
}

REDIS_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}


def settings(*, redis_url: str, data_dir: Path) -> dict[str, Any]:
    """Celery's settings. The folders of the embedded broker are made by `manage.py setup`."""
    common = COMMON | {"beat_schedule_filename": str(data_dir / "beat-schedule")}
    if redis_url:
        return common | {"broker_url": redis_url, "broker_transport_options": REDIS_OPTIONS}
    queue, control = job_folders(data_dir)
    options = {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "store_processed": False,
        "polling_interval": 0.2,
    }
    return common | {"broker_url": "filesystem://localhost", "broker_transport_options": options}


def job_folders(data_dir: Path) -> tuple[Path, Path]:
    """The folders of messages and of the table of queues."""
    return data_dir / "jobs" / "queue", data_dir / "jobs" / "control"
