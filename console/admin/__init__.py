"""The console's own tables: people, groups, and the audit log."""

from console.admin import audit_log, groups, users
from console.api import key_pages
from console.people import home_notice, session_panel

__all__ = ["audit_log", "groups", "home_notice", "key_pages", "session_panel", "users"]
