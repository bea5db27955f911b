"""The devices' part of the console."""

from devices.admin import (
    attention,
    batch,
    certificate_attention,
    compromised,
    device,
    download_code,
    job_kinds,
    mac_pool,
    pre_import,
    product_panel,
    production_panel,
    receipt,
    receipt_key,
    serial_number_list,
    serial_numbers,
    upload,
)

__all__ = [
    "attention",
    "batch",
    "certificate_attention",
    "compromised",
    "device",
    "download_code",
    "job_kinds",
    "mac_pool",
    "pre_import",
    "product_panel",
    "production_panel",
    "receipt",
    "receipt_key",
    "serial_number_list",
    "serial_numbers",
    "upload",
]
