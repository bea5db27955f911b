"""The device log and the brokers in the console."""

from registration.admin import attention, broker, device_panel, log

__all__ = ["attention", "broker", "device_panel", "log"]
