"""The sidebar: sections in the order of work. What a person may not see is not there; what is not installed is not there either."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from products.services import access


class Place(NamedTuple):
    """`url_name` within the admin site; `permission`: who sees it, empty for every member of staff. `shared`: by all products, so it is not
    for a person with chosen ones."""

    title: Any
    icon: str
    url_name: str
    permission: str = ""
    shared: bool = False


CA_CERTIFICATES = "products_certificateauthority_changelist"
ISSUED = "products_issuedcertificate_changelist"
SECTIONS: tuple[tuple[Any, tuple[Place, ...]], ...] = (
    ("", (Place(_("Home"), "home", "index"), Place(_("Jobs"), "hourglass_top", "jobs", "devices.view_batch"))),
    (
        _("Plan"),
        (
            Place(_("Products"), "category", "products_product_changelist", "products.view_product"),
            Place(_("Pre-import list"), "playlist_add_check", "devices_preimporteddevice_changelist", "devices.view_preimporteddevice"),
            Place(_("Uploaded workbooks"), "upload_file", "devices_upload_changelist", "devices.view_upload"),
        ),
    ),
    (
        _("Mass production"),
        (
            Place(_("Production center"), "precision_manufacturing", "devices_production_center", "devices.view_batch"),
            Place(_("Production records"), "inventory_2", "devices_batch_changelist", "devices.view_batch"),
            Place(_("Receipts"), "verified", "devices_receipt_changelist", "devices.view_receipt"),
            Place(_("Serial numbers"), "qr_code_2", "devices_serialnumberrun_changelist", "devices.view_serialnumberrun"),
            Place(_("Binding station"), "barcode_scanner", "devices_binding_station", "devices.bind_serialnumber"),
            Place(_("Download codes"), "key", "devices_downloadcode_changelist", "devices.view_downloadcode"),
            Place(_("MAC pools"), "tag", "devices_macpool_changelist", "devices.view_macpool", True),
            Place(_("Activation codes"), "confirmation_number", "products_codegrant_changelist", "products.view_codegrant"),
        ),
    ),
    (
        _("Fleet"),
        (
            Place(_("Devices"), "developer_board", "devices_device_changelist", "devices.view_device"),
            Place(_("Issued certificates"), "workspace_premium", ISSUED, "products.view_issuedcertificate"),
            Place(_("Drift"), "difference", "devices_drift", "devices.view_device"),
            Place(_("Device log"), "receipt_long", "registration_devicelogentry_changelist", "registration.view_devicelogentry"),
        ),
    ),
    (
        _("Administration"),
        (
            Place(_("Data centers"), "dns", "products_datacenter_changelist", "products.view_datacenter", True),
            Place(_("Brokers"), "hub", "products_broker_changelist", "products.view_broker", True),
            Place(_("CA certificates"), "verified_user", CA_CERTIFICATES, "products.view_certificateauthority", True),
            Place(_("Audit log"), "fact_check", "console_auditentry_changelist", "console.view_auditentry", True),
            Place(_("Users"), "group", "auth_user_changelist", "auth.view_user", True),
            Place(_("Groups"), "shield_person", "auth_group_changelist", "auth.view_group", True),
            Place(_("API keys"), "key", "console_apikey_changelist", "console.add_apikey"),
            Place(_("API"), "api", "api:docs", "products.view_product"),
        ),
    ),
)


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """In the form of UNFOLD["SIDEBAR"]["navigation"]."""
    found = [{"title": title, "separator": bool(title), "items": list(_items(request, places))} for title, places in SECTIONS]
    return [section for section in found if section["items"]]


def _items(request: HttpRequest, places: tuple[Place, ...]) -> Iterator[dict[str, Any]]:
    for place in places:
        link = link_to(place.url_name)
        if link and _is_for(request.user, place):
            yield {"title": place.title, "icon": place.icon, "link": link, "active": _is_active(link)}


def _is_for(user: Any, place: Place) -> bool:
    return (not place.permission or user.has_perm(place.permission)) and (not place.shared or access.sees_every_product(user))


def link_to(url_name: str) -> str:
    """Of a page of the admin, or of the namespace that the name tells. Empty where no app of this installation has the page."""
    try:
        return reverse(url_name if ":" in url_name else f"admin:{url_name}")
    except NoReverseMatch:
        return ""


def _is_active(link: str) -> Callable[[HttpRequest], bool]:
    """A place within another's address (the production center) is active alone."""
    home = reverse("admin:index")

    def is_active(request: HttpRequest) -> bool:
        if link == home or not request.path.startswith(link):
            return request.path == link
        links = (link_to(place.url_name) for _title, places in SECTIONS for place in places)
        return not any(other.startswith(link) and len(other) > len(link) and request.path.startswith(other) for other in links)

    return is_active
