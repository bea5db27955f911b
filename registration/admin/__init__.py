"""The device log in the console."""

from registration.admin import device_panel, log

__all__ = ["device_panel", "log"]
