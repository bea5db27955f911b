"""The facts of an audit entry, before and after side by side, in words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from console.shared.admin import NOTHING

NAMES: dict[str, Any] = {
    "name": gettext_lazy("Name"),
    "status": gettext_lazy("Status"),
    "wire_protocol": gettext_lazy("Wire protocol"),
    "network_protocol": gettext_lazy("Network protocol"),
    "device_name_kind": gettext_lazy("DeviceNames are"),
    "device_quota": gettext_lazy("Device quota"),
    "dynamic_registration": gettext_lazy("Dynamic registration"),
    "per_product_secret": gettext_lazy("Per-product secret"),
    "preregistration_free": gettext_lazy("Preregistration-free"),
    "auto_create": gettext_lazy("Automatic creation"),
    "auto_create_limit": gettext_lazy("Limit of automatic creation"),
    "reregistration": gettext_lazy("Re-registration"),
    "new_secret_each_time": gettext_lazy("A new DeviceSecret each time"),
    "quantity": gettext_lazy("Quantity"),
    "product": gettext_lazy("Product"),
    "products": gettext_lazy("Products"),
    "hosts": gettext_lazy("Host names"),
    "kind": gettext_lazy("Kind"),
    "enabled": gettext_lazy("Enabled"),
    "data_center": gettext_lazy("Data center"),
    "nickname": gettext_lazy("Nickname"),
    "sn": gettext_lazy("SN"),
    "authentication": gettext_lazy("Authentication"),
    "certificate_fingerprint": gettext_lazy("Certificate fingerprint"),
    "next_fingerprint": gettext_lazy("Next certificate's fingerprint"),
    "certificates_revoked_at": gettext_lazy("Certificates revoked"),
    "certificate_kept": gettext_lazy("Certificate that is expected still"),
    "subject": pgettext_lazy("certificate", "Subject"),
    "serial_number": gettext_lazy("Serial number"),
    "serial_numbers": gettext_lazy("Serial numbers"),
    "issued_certificates": gettext_lazy("Issued certificates revoked"),
    "columns": gettext_lazy("Columns"),
    "conditions": gettext_lazy("Chosen by"),
    "format": gettext_lazy("Format"),
    "state": gettext_lazy("State"),
    "made": gettext_lazy("Devices made"),
    "skipped": gettext_lazy("Skipped"),
    "first": gettext_lazy("First"),
    "last": gettext_lazy("Last"),
    "cut_off": gettext_lazy("Connections to cut off"),
    "forbidden": gettext_lazy("ClientIDs forbidden"),
    "kept": gettext_lazy("ClientID that stays"),
    "pre_import_secret_renewed": gettext_lazy("New DeviceSecret for the pre-import row"),
    "registered_at": gettext_lazy("Registered"),
    "activated_at": gettext_lazy("Activated"),
    "role": gettext_lazy("Role"),
    "groups": gettext_lazy("Further groups"),
    "permissions": gettext_lazy("Permissions"),
    "people": gettext_lazy("People"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "email": gettext_lazy("Mail address"),
    "sha256": gettext_lazy("SHA-256 of the file"),
    "file_name": gettext_lazy("File"),
    "expires_at": gettext_lazy("Valid until"),
}


class Fact(NamedTuple):
    name: str
    before: str
    after: str


def facts_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Fact]:
    """A line for each fact that either side has, in the order of NAMES: a database keeps none."""
    known = list(NAMES)
    names = sorted({**before, **after}, key=lambda name: (known.index(name) if name in NAMES else len(known), name))
    return [Fact(_name(name), _value(before, name), _value(after, name)) for name in names]


def _name(name: str) -> str:
    """A fact of an older version is called as it was stored."""
    return str(NAMES.get(name) or name.replace("_", " ").capitalize())


def _value(facts: Mapping[str, Any], name: str) -> str:
    return _words(facts[name]) if name in facts else NOTHING


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return "\n".join(f"{_name(str(name))}: {_words(one)}" for name, one in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return "\n".join(_words(one) for one in value) or NOTHING
    return str(value) if value not in (None, "") else NOTHING
