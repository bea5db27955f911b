"""The binding station: a page for a scanner at the flashing line. A device and its label are scanned, in either order, and are bound.

Two scans make a binding; between them the first one waits in a hidden field of the page, so that nothing is kept on the server and plain
form posts do. The script sends the same form and shows the same answer without loading the page anew.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.translation import shown
from console.words import say
from devices.admin.production_center import ConsoleView
from devices.models import SerialNumber
from devices.services import binding
from devices.services.binding import Binding, Meaning, Read
from products.admin.limits import seen_product, seen_products
from products.models import Product
from products.services import access

LATEST = 20
LONGEST_SCAN = 400
"""Characters; no label and no DeviceName is as long."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the page says about a scan: `kind` is ready, half, bound, noted or refused; `first` waits for the second scan."""

    kind: str
    words: str
    first: str = ""
    notes: tuple[str, ...] = ()


class ChooseView(ConsoleView):
    """Which product is bound here; with one alone there is nothing to choose."""

    permission = "devices.bind_serialnumber"

    def get(self, request: HttpRequest) -> HttpResponse:
        products = list(seen_products(request)[:200])
        if len(products) == 1:
            return HttpResponseRedirect(reverse("admin:devices_binding_station_of", args=[products[0].pk]))
        return self.page("devices/station_choose.html", title=gettext_lazy("Binding station"), products=products)


class StationView(ConsoleView):
    """GET: the station, ready. POST: a scan, or the undoing of a binding."""

    permission = "devices.bind_serialnumber"

    def get(self, request: HttpRequest, product_id: int) -> HttpResponse:
        return self._show(seen_product(request, product_id), Outcome("ready", _("Scan a device or a label.")))

    def post(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product = seen_product(request, product_id)
        try:
            outcome = self._undo(product) if "undo" in request.POST else self._scanned(product)
        except DomainError as error:
            outcome = Outcome("refused", shown(error), notes=(_("Nothing was bound. Scan the device and the label again."),))
        return self._show(product, outcome)

    def _scanned(self, product: Product) -> Outcome:
        """Raises a DomainError of the services."""
        scan, first = (self.request.POST.get(name, "").strip()[:LONGEST_SCAN] for name in ("scan", "first"))
        add = self._adds()
        if not scan:
            return Outcome("half", _("Scan the other one."), first) if first else Outcome("ready", _("Scan a device or a label."))
        if not first or scan == first:
            read = binding.look(product, scan, add=add)
            if not first or read.meaning is not Meaning.EITHER:  # Else the same thing twice: a scanner that was triggered twice.
                return _half(scan, read)
        device_name, sn = binding.pair(product, first, scan)
        return _bound(binding.bind(product, device_name, sn, add=add, by=actor_of(self.request), at=timezone.now()))

    def _undo(self, product: Product) -> Outcome:
        """Only what this person has bound. Raises NotBoundSo."""
        label = SerialNumber.objects.bound_of(product.pk, self.request.user.pk).filter(sn=self.request.POST["undo"]).first()
        if label is None:
            raise binding.NotBoundSo(say("This binding was undone already."))
        reason = "Undone at the binding station."
        binding.unbind(product.pk, label.device_name, label.sn, reason=reason, by=actor_of(self.request), at=timezone.now())
        words = _("%(sn)s is off %(device_name)s again.") % {"sn": label.sn, "device_name": label.device_name}
        return Outcome("noted", words, notes=(_("The label is free. Scan a device or a label."),))

    def _adds(self) -> bool:
        """The tick counts for those who may add devices."""
        return "add" in self.request.POST and self._may_add()

    def _may_add(self) -> bool:
        return bool(self.request.user.has_perm("devices.add_preimporteddevice"))

    def _show(self, product: Product, outcome: Outcome) -> TemplateResponse:
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        mine = SerialNumber.objects.bound_of(product.pk, self.request.user.pk)
        limit = access.limit_of(self.request.user)
        context: dict[str, Any] = {
            "title": gettext_lazy("Binding station"),
            "product": product,
            "outcome": outcome,
            "latest": mine[:LATEST],
            "mine_today": mine.filter(bound_at__gte=today).count(),
            "all_today": SerialNumber.objects.bound_since(product.pk, today).count(),
            "may_add": self._may_add(),
            "adds": self._adds(),
            "may_choose": limit is None or len(limit) > 1,
        }
        template = "devices/station_live.html" if self.request.headers.get("X-Station") else "devices/station.html"
        answer = self.page(template, **context)
        answer["Cache-Control"] = "no-store"
        return answer


def _half(scan: str, read: Read) -> Outcome:
    words = {
        Meaning.DEVICE: _("Device %(text)s. Now scan its label."),
        Meaning.LABEL: _("Label %(text)s. Now scan its device."),
        Meaning.EITHER: _("%(text)s is taken as the device. Now scan its label."),
    }
    return Outcome("half", words[read.meaning] % {"text": read.text}, first=scan)


def _bound(made: Binding) -> Outcome:
    words = _("%(sn)s is on %(device_name)s.") % {"sn": made.sn, "device_name": made.device_name}
    if made.repeated:
        return Outcome("noted", words, notes=(_("It was bound before: nothing has changed."),))
    notes = []
    if made.added:
        notes.append(_("The device was added to the pre-import list."))
    if made.met_in:
        where = ", ".join(made.met_in)
        notes.append(_("The device is in the device list of %(where)s already: its SN there stays as it is.") % {"where": where})
    return Outcome("bound", words, notes=tuple(notes))
