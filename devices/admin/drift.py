"""Drift (N10): the page of one product at one data center, its CSV, and what stands on the page of a pre-import row."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from console.shared.actors import actor_of
from console.shared.files import csv_writer
from devices.admin import centers
from devices.admin.device_filters import STATES
from devices.models import Authentication, DeviceOrigin, PreImportedDevice
from devices.rules.drift import COMPARED, Drift, Line
from devices.services import drift
from products.admin.limits import seen_products
from products.models import DataCenter, Product

NEEDED = ("devices.view_preimporteddevice", "devices.view_device")
FURTHER = 10
"""Stretches that are looked through at once when somebody goes on; the first page is content with one."""

WORDS = {
    Drift.SAME: (_("Equal"), "green"),
    Drift.DIFFERS: (_("Differs"), "amber"),
    Drift.ONLY_HERE: (_("Not there"), "grey"),
    Drift.ONLY_THERE: (_("Only there"), "blue"),
}
CHOICES = ((None, _("Every row")), (Drift.DIFFERS, _("Differs")), (Drift.ONLY_HERE, _("Not there")), (Drift.ONLY_THERE, _("Only there")))
FIELDS = {
    "nickname": _("Nickname"),
    "sn": _("SN"),
    "authentication": _("Authentication"),
    "certificate_fingerprint": _("Certificate fingerprint"),
}
ORIGINS = {
    DeviceOrigin.PRE_IMPORT: _("Its row was deleted from the pre-import list; the device stayed."),
    DeviceOrigin.AUTO_CREATED: _("It was created automatically when it registered."),
    DeviceOrigin.PREREGISTRATION_FREE: _("It registered without a row: the product is preregistration-free."),
}
MEANING = {
    None: _(
        "Each row of the pre-import list beside what this data center made of it. A device copies its row when it first comes;"
        " from then on the two go their own ways, so a difference is no error."
    ),
    Drift.DIFFERS: _(
        "Somebody edited the row or the device after it came. Nothing is wrong with that: here the device's values count."
        " To have the row's values, edit the device on its page, or delete it there, so that it comes anew with them."
    ),
    Drift.ONLY_HERE: _("These have not come to this data center. They may come any time; nothing has to be done."),
    Drift.ONLY_THERE: _(
        "The device list has these and the pre-import list has not. They go on connecting here."
        " To keep one out, disable or delete it on its page; to let it into every data center, add its row."
    ),
}


class DriftPages:
    """For the ModelAdmin of pre-import rows; goes before it."""

    # What the ModelAdmin brings.
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("drift/", guarded(self.drift_view), name="devices_drift"),
            path("drift.csv", guarded(self.drift_csv_view), name="devices_drift_csv"),
            *super().get_urls(),
        ]

    def drift_view(self, request: HttpRequest) -> HttpResponse:
        """?product=&center=&show=&after=: a page of lines; two questions to the lists, more only when somebody goes on."""
        product, center, wanted = _asked(request)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Drift"),
            "product": product,
            "products": list(seen_products(request)),
            "center": center,
            "centers": list(DataCenter.objects.order_by("-is_home", "name")),
            "meaning": MEANING[wanted],
        }
        if product is not None:
            context |= _lines_context(request, product, center, wanted)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "devices/drift.html", context)

    def drift_csv_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the page shows, to its end."""
        product, center, wanted = _asked(request)
        if product is None:
            raise Http404
        lines = drift.export(product, center, wanted=wanted, by=actor_of(request), at=timezone.now())
        name = f"drift-{product.key}-{center.code}.csv"
        return StreamingHttpResponse(
            csv_writer.stream(_titles(), (_cells(line) for line in lines)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )


def beside_context(row: PreImportedDevice) -> dict[str, Any]:
    """For the page of a row: what each data center made of it."""
    lines = drift.of_row(row)
    return {"beside": [{"center": center, **_in_words(line, center)} for center, line in lines], "fields": FIELDS}


def _asked(request: HttpRequest) -> tuple[Product | None, DataCenter, Drift | None]:
    """Raises PermissionDenied, or Http404 for what is not there for this person. Without a choice: the first product."""
    user: Any = request.user
    if not user.has_perms(NEEDED):
        raise PermissionDenied
    chosen, products = request.GET.get("product", ""), seen_products(request)
    if chosen:
        products = products.filter(pk=int(chosen)) if chosen.isdecimal() else products.none()
    product = products.first()
    code, show = request.GET.get("center", ""), request.GET.get("show", "")
    center = DataCenter.objects.filter(code=code).first() if code else centers.selected(request)
    if center is None or (chosen and product is None):
        raise Http404
    return product, center, Drift(show) if show in (Drift.DIFFERS, Drift.ONLY_HERE, Drift.ONLY_THERE) else None


def _lines_context(request: HttpRequest, product: Product, center: DataCenter, wanted: Drift | None) -> dict[str, Any]:
    text = request.GET.get("after", "0")
    after = int(text) if text.isdecimal() and len(text) < 19 else 0
    found = drift.page(product, center, wanted=wanted, after=after, stretches=FURTHER if after else 1)
    here: dict[str, str | int] = {"product": product.pk, "center": center.code}
    chosen = here | ({"show": str(wanted)} if wanted else {})
    return {
        "wanted": wanted,
        "lines": [_in_words(line, center) for line in found.lines],
        "looked": f"{found.looked_through:,}",
        "is_first": not after,
        "first_url": _query(chosen),
        "next_url": _query(chosen | {"after": found.next}) if found.next is not None else "",
        "csv_url": f"{reverse('admin:devices_drift_csv')}{_query(chosen)}",
        "choices": [(words, choice == wanted, _query(here | ({"show": str(choice)} if choice else {}))) for choice, words in CHOICES],
    }


def _query(facts: dict[str, str | int]) -> str:
    return f"?{urlencode(facts)}"


def _in_words(line: Line, center: DataCenter) -> dict[str, Any]:
    words, colour = WORDS[line.drift]
    there = line.there
    return {
        "line": line,
        "words": words,
        "colour": colour,
        "differences": [(FIELDS[name], _value(line.row, name), _value(there, name)) for name in line.differing],
        "values": [(FIELDS[name], _value(line.row, name), _value(there, name), name in line.differing) for name in COMPARED],
        "why": ORIGINS[DeviceOrigin(there.origin)] if line.drift is Drift.ONLY_THERE and there else "",
        "state": there.state if there else "",
        "state_words": STATES[there.state] if there else "",
        "row_url": reverse("admin:devices_preimporteddevice_change", args=[line.row.pk]) if line.row else "",
        "device_url": reverse("admin:devices_device_change", args=[f"{center.code}-{there.pk}"]) if there else "",
    }


def _value(side: Any, name: str) -> Any:
    value = getattr(side, name, "") or ""
    return Authentication(value).label if value and name == "authentication" else value


def _titles() -> list[str]:
    fields = [f"{title} {side}" for title in ("Nickname", "SN", "Authentication", "Fingerprint") for side in ("here", "there")]
    return ["DeviceName", "Drift", *fields, "State", "Registered", "Activated", "Origin"]


def _cells(line: Line) -> list[str]:
    values = [str(getattr(side, name, "") or "") for name in COMPARED for side in (line.row, line.there)]
    there = line.there
    facts = [there.state, _moment(there.registered_at), _moment(there.activated_at), there.origin] if there else [""] * 4
    return [line.device_name, line.drift, *values, *facts]


def _moment(at: datetime | None) -> str:
    return at.isoformat(" ", "seconds") if at else ""
