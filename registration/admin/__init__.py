"""The device log and the brokers in the console."""

from registration.admin import broker, device_panel, log

__all__ = ["broker", "device_panel", "log"]
