"""Runs of serial numbers: the list, the page that asks for one, and the page of a run with its progress and its files (Q7)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from console.errors import DomainError, Invalid
from console.shared.actors import actor_of
from console.shared.admin import ReadOnlyModelAdmin, badge, moment, mono
from console.shared.filters import MomentRangeFilter
from console.shared.page_actions import Occasion, PageAction, PageActions, put_error
from console.shared.tasks import nudge
from console.shared.translation import shown
from console.words import say
from devices.admin import progress
from devices.admin.serial_number_forms import GenerateForm, LabelsForm, ReasonForm, VoidRunForm
from devices.models import SerialNumber, SerialNumberRun
from devices.services import serial_number_files, serial_numbers
from devices.services.serial_number_files import FileKind
from products.admin.limits import OfChosenProducts, ProductFilter, latest_changes, seen_products

FIRST_SHOWN = 8


def _cancel(occasion: Occasion) -> None:
    serial_numbers.cancel(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _void(occasion: Occasion) -> str:
    number = occasion.target.number
    if occasion.data["typed"].strip().upper() != number:
        raise Invalid(say("Type {number} to void its free serial numbers.", number=number), field="typed")
    voided = serial_numbers.void_run(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)
    return ngettext("%(count)d serial number was voided.", "%(count)d serial numbers were voided.", voided) % {"count": voided}


CANCEL = PageAction(
    name="cancel",
    permission="devices.cancel_serialnumberrun",
    label=_("Cancel run"),
    title=_("Cancel this run?"),
    words=(_("The serial numbers that are made already stay, and can be downloaded and bound."),),
    confirm=_("Cancel run"),
    done=_("The run is being cancelled."),
    form=ReasonForm,
    run=_cancel,
    offered=lambda run: not run.is_over and not run.cancel_requested,
    danger=True,
)
VOID = PageAction(
    name="void",
    permission="devices.cancel_serialnumberrun",
    label=_("Void the free ones"),
    title=_("Void all serial numbers of this run that are on no device?"),
    words=(_("For labels that were lost, stolen or spoiled: no device will ever have one of these serial numbers."),),
    warnings=(_("This cannot be undone."),),
    confirm=_("Void"),
    form=VoidRunForm,
    run=_void,
    offered=lambda run: run.is_over and SerialNumber.objects.of_run(run.pk).free().exists(),
    danger=True,
)


@admin.register(SerialNumberRun)
class SerialNumberRunAdmin(OfChosenProducts, PageActions, ReadOnlyModelAdmin):
    list_display = ("run_number", "product", "pattern", "state_badge", "made_of_total", "progress", "bound", "note_text", "requested")
    list_display_links = ("run_number",)
    list_select_related = ("product",)
    list_filter = (("state", ChoicesDropdownFilter), ProductFilter, ("requested_at", MomentRangeFilter))
    search_fields = ("product__name", "product__key", "prefix", "note")
    search_help_text = _("Number of the run, product, ProductKey, prefix or note")
    sortable_by = ()
    add_label = _("Generate SNs")
    empty_list = {
        "icon": "qr_code_2",
        "title": _("No serial number was generated yet"),
        "text": _("A run makes up to 10,000 serial numbers of a product, with QR codes and labels: an app binds a device by them."),
        "label": _("Generate SNs"),
        "url_name": "admin:devices_serialnumberrun_add",
        "permission": "devices.add_serialnumberrun",
    }

    page_actions = (CANCEL, VOID)
    page_template = "devices/serial_number_run.html"

    class Media:
        js = ("production.js",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("devices.add_serialnumberrun"))

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("progress/", guarded(self.progress_view), name="devices_serialnumberrun_progress"),
            path("<int:run_id>/file/<slug:kind>/", guarded(self.file_view), name="devices_serialnumberrun_file"),
            *super().get_urls(),
        ]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """S000017 is a row's number in words."""
        term = search_term.strip().upper()
        if term.startswith("S") and term[1:].isdigit():
            return queryset.filter(pk=int(term[1:])), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The bound numbers of a page's runs are counted together, from their own index."""
        answer = super().changelist_view(request, extra_context)
        change_list = getattr(answer, "context_data", {}).get("cl")
        if change_list is not None:
            bound = SerialNumber.objects.bound().filter(run__in=[run.pk for run in change_list.result_list])
            counts = dict(bound.order_by().values_list("run").annotate(Count("pk")))
            for run in change_list.result_list:
                run.bound_count = counts.get(run.pk, 0)
        return answer

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A form, then a look at some such numbers, then the run."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = GenerateForm(request.POST or None, initial={"product": request.GET.get("product")})
        form.offer(seen_products(request))
        examples: list[str] = []
        if request.method == "POST" and form.is_valid():
            try:
                if "confirmed" in request.POST:
                    return self._generate(request, form)
                examples = serial_numbers.preview(form.wish())
            except DomainError as error:
                put_error(form, error, {"prefix": "beginning"})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Generate SNs"),
            "form": form,
            "examples": examples,
            "quantity": form.cleaned_data["quantity"] if examples else 0,
            "product": form.cleaned_data["product"] if examples else None,
            "hidden": form.hidden_values() if examples else [],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "devices/generate_sn.html", context)

    def _generate(self, request: HttpRequest, form: GenerateForm) -> HttpResponse:
        run = serial_numbers.request(form.cleaned_data["product"], form.wish(), by=actor_of(request), at=timezone.now())
        nudge("devices.make_serial_numbers", run.pk)
        messages.success(request, _("Run %(number)s has started.") % {"number": run.number})
        return HttpResponseRedirect(self.page_url(run))

    def page_context(self, request: HttpRequest, target: SerialNumberRun) -> dict[str, Any]:
        numbers = SerialNumber.objects.of_run(target.pk)
        bound, void = numbers.bound().count(), numbers.void().count()
        return {
            "title": target.number,
            "progress": progress.of_run(target, timezone.now()),
            "took": progress.took(target),
            "bound": bound,
            "void": void,
            "free": target.done - bound - void,
            "first": list(numbers[:FIRST_SHOWN]),
            "more": max(0, target.done - FIRST_SHOWN),
            "numbers_url": f"{reverse('admin:devices_serialnumber_changelist')}?run__id__exact={target.pk}",
            "labels": LabelsForm(made=target.done, auto_id="id_labels_%s"),
            "has_files": target.is_over and target.done,
            "may_download": request.user.has_perm("devices.download_serialnumbers"),
            "may_bind": request.user.has_perm("devices.bind_serialnumber"),
        } | latest_changes(request, target)

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """?ids=1,2,3: how far these runs are, at most 100 of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [int(word) for word in request.GET.get("ids", "").split(",")[:100] if word.isdigit()]
        found = [progress.of_run(run, timezone.now()) for run in self.get_queryset(request).filter(pk__in=ids)]
        return JsonResponse({"batches": found}, headers={"Cache-Control": "no-store"})

    def file_view(self, request: HttpRequest, run_id: int, kind: str) -> HttpResponseBase:
        """POST: the file, made as it is sent."""
        if not request.user.has_perm("devices.download_serialnumbers"):
            raise PermissionDenied
        run = self._find(request, str(run_id))
        if kind not in list(FileKind):
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        part = None
        if kind == FileKind.LABELS:
            form = LabelsForm(request.POST, made=run.done)
            if not form.is_valid():
                messages.error(request, _("Choose a sheet, and labels by their numbers."))
                return HttpResponseRedirect(self.page_url(run))
            part = form.part()
        try:
            return _attachment(serial_number_files.download(run, FileKind(kind), part=part, by=actor_of(request), at=timezone.now()))
        except DomainError as error:
            messages.error(request, shown(error))
            return HttpResponseRedirect(self.page_url(run))

    @display(description=_("Run"))
    def run_number(self, run: SerialNumberRun) -> str:
        return mono(run.number)

    @display(description=_("Form"))
    def pattern(self, run: SerialNumberRun) -> str:
        return mono(f"{run.prefix}{'•' * run.length}{'✓' if run.check_character else ''}")

    @display(description=_("State"))
    def state_badge(self, run: SerialNumberRun) -> str:
        return format_html('<span data-batch="{}" data-batch-state>{}</span>', run.pk, badge(run.state, run.get_state_display()))

    @display(description=_("Made"))
    def made_of_total(self, run: SerialNumberRun) -> str:
        words = '<span class="np-number np-nowrap"><span data-batch="{}" data-batch-made>{}</span> / {}</span>'
        return format_html(words, run.pk, f"{run.done:,}", f"{run.total:,}")

    @display(description=_("Progress"))
    def progress(self, run: SerialNumberRun) -> str:
        return format_html(
            '<div class="np-progress np-progress--slim{}" role="progressbar" aria-label="{}" aria-valuemin="0" aria-valuemax="100" '
            'aria-valuenow="{}" data-batch="{}" data-batch-bar{}><span style="width: {}%"></span></div>',
            {"done": " np-progress--done", "failed": " np-progress--failed"}.get(run.state, ""),
            run.number,
            run.percent,
            run.pk,
            "" if run.is_over else " data-live",
            run.percent,
        )

    @display(description=_("Bound"))
    def bound(self, run: SerialNumberRun) -> str:
        return format_html('<span class="np-number">{}</span>', f"{getattr(run, 'bound_count', 0):,}")

    @display(description=_("Note"))
    def note_text(self, run: SerialNumberRun) -> str:
        return run.note or self.empty_value_display

    @display(description=_("Requested"))
    def requested(self, run: SerialNumberRun) -> str:
        return moment(run.requested_at)


def _attachment(file: serial_number_files.Download) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        file.pieces,
        content_type=file.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
