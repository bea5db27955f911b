"""The devices' part of the console."""

from devices.admin import batch, compromised, device, mac_pool, pre_import, product_panel, production_panel, upload

__all__ = ["batch", "compromised", "device", "mac_pool", "pre_import", "product_panel", "production_panel", "upload"]
