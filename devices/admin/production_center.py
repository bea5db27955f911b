"""The mass production center: published products, and the page on which a batch is put together, looked at, and started (G1 to G8)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views import View

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.files import xlsx_writer
from console.shared.page_actions import put_error
from console.shared.tasks import nudge
from devices.admin.production_forms import ProduceForm
from devices.models import Batch, Upload, UploadPurpose
from devices.services import batches, upload_check, uploads
from products.models import FlashingMethod, Product, ProductStatus

PER_PAGE = 25


class ConsoleView(View):
    """A page of the console under a ModelAdmin's permissions."""

    admin: Any = None
    permission = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def page(self, template: str, **context: Any) -> TemplateResponse:
        request = self.request
        request.current_app = self.admin.admin_site.name
        return TemplateResponse(request, template, {**self.admin.admin_site.each_context(request), **context})


class CenterView(ConsoleView):
    permission = "devices.view_batch"

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = request.GET.get("q", "").strip()
        published = Product.objects.published().order_by("name")
        found = published.filter(Q(name__icontains=wanted) | Q(key__istartswith=wanted)) if wanted else published
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("p"))
        return self.page(
            "devices/production_center.html",
            title=_("Production center"),
            products=page,
            q=wanted,
            developing=Product.objects.filter(status=ProductStatus.DEVELOPING).count(),
            latest=Batch.objects.select_related("product").prefetch_related("files")[:5],
            may_produce=request.user.has_perm("devices.add_batch"),
        )


class ProduceView(ConsoleView):
    """GET shows the form, or with ?upload= the check of a workbook. POST receives a workbook, shows what will be used up, or starts."""

    permission = "devices.add_batch"

    def get(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product = self._product(product_id)
        upload = self._upload(product)
        start = {"source": "upload", "flashing_method": request.GET.get("method"), "note": request.GET.get("note")} if upload else {}
        return self._show(product, ProduceForm(product=product, upload=upload, initial=start), upload)

    def post(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product = self._product(product_id)
        upload = self._upload(product)
        form = ProduceForm(request.POST, request.FILES, product=product, upload=upload)
        if not form.is_valid():
            return self._show(product, form, upload)
        try:
            return self._go_on(product, form, upload)
        except DomainError as error:
            put_error(form, error, {"upload": "workbook", "mac_pool": "mac_pool"})
            return self._show(product, form, upload)

    def _go_on(self, product: Product, form: ProduceForm, upload: Upload | None) -> HttpResponse:
        """Raises a DomainError of the services."""
        by, now = actor_of(self.request), timezone.now()
        if form.cleaned_data.get("workbook") and upload is None:
            return self._receive(product, form)
        wish = form.wish()
        if "confirmed" not in self.request.POST:
            return self._show(product, form, upload, preview=batches.preview(product.pk, wish, at=now))
        batch = batches.request(product.pk, wish, by=by, at=now)
        nudge("devices.fill_batch", batch.pk)
        messages.success(self.request, _("Batch %(number)s has started.") % {"number": batch.number})
        return HttpResponseRedirect(reverse("admin:devices_batch_change", args=[batch.pk]))

    def _receive(self, product: Product, form: ProduceForm) -> HttpResponse:
        """Stores the workbook and has it checked; a small one at once."""
        file = form.cleaned_data["workbook"]
        new = uploads.NewUpload(file.name, file.size, file.chunks(), purpose=UploadPurpose.BATCH)
        upload = uploads.receive(product, new, by=actor_of(self.request), at=timezone.now())
        if file.size <= uploads.SMALL:
            upload_check.check(upload.pk, clock=timezone.now)
        else:
            nudge("devices.check_upload", upload.pk)
        query = self.request.GET.copy()
        query.update({"upload": str(upload.pk), "method": form.cleaned_data["flashing_method"], "note": form.cleaned_data["note"]})
        return HttpResponseRedirect(f"{self.request.path}?{query.urlencode()}")

    def _product(self, product_id: int) -> Product:
        product = Product.objects.filter(pk=product_id).first()
        if product is None:
            raise Http404
        return product

    def _upload(self, product: Product) -> Upload | None:
        """The workbook that the address names. It must be this product's and not yet used."""
        wanted = self.request.GET.get("upload", "")
        if not wanted.isdigit():
            return None
        return Upload.objects.filter(pk=int(wanted), product=product, purpose=UploadPurpose.BATCH).first()

    def _show(self, product: Product, form: ProduceForm, upload: Upload | None, preview: batches.Preview | None = None) -> HttpResponse:
        return self.page(
            "devices/produce.html",
            title=_("Batch production"),
            product=product,
            form=form,
            upload=upload,
            used_by=Batch.objects.filter(upload=upload).first() if upload else None,
            upload_url=_url_or_none("admin:devices_upload_change", upload.pk) if upload else None,
            preview=preview,
            method=FlashingMethod(form.cleaned_data["flashing_method"]).label if preview else "",
            hidden=form.hidden_values() if preview else [],
        )


def template_view(request: HttpRequest, product_id: int) -> HttpResponseBase:
    """The workbook to fill in: one column, its cells formatted as text."""
    if not request.user.has_perm("devices.add_batch"):
        raise PermissionDenied
    sheet = xlsx_writer.Sheet("DeviceNames", ["DeviceName"], [], widths=[32])
    headers = {"Content-Disposition": f'attachment; filename="device-names-{product_id}.xlsx"'}
    return StreamingHttpResponse(xlsx_writer.stream(sheet), content_type=xlsx_writer.CONTENT_TYPE, headers=headers)


def _url_or_none(name: str, pk: int) -> str | None:
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return None
