"""The mass production center: published products, and the guided way on which a batch is put together and started (G1 to G8)."""

import secrets
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views import View

from console.errors import DomainError
from console.shared.actors import actor_of
from console.shared.files import xlsx_writer
from console.shared.jobs import JobState
from console.shared.page_actions import put_error
from console.shared.tasks import nudge
from devices.admin import production_obstacles, production_way
from devices.admin.production_forms import ProduceForm
from devices.models import Batch, Upload, UploadPurpose
from devices.services import batches, upload_check, uploads
from products.admin.limits import seen_product, seen_products
from products.models import FlashingMethod, Product, ProductStatus
from products.services import access

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
        published = seen_products(request).filter(status=ProductStatus.PUBLISHED)
        found = published.filter(Q(name__icontains=wanted) | Q(key__istartswith=wanted)) if wanted else published
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("p"))
        return self.page(
            "devices/production_center.html",
            title=_("Production center"),
            products=page,
            q=wanted,
            developing=seen_products(request).filter(status=ProductStatus.DEVELOPING).count(),
            latest=access.only(Batch.objects.all(), request.user).select_related("product").prefetch_related("files")[:5],
            may_produce=request.user.has_perm("devices.add_batch"),
            may_change=request.user.has_perm("products.change_product"),
            may_grant=request.user.has_perm("products.add_codegrant"),
            way=production_way.steps("product", request),
        )


class ProduceView(ConsoleView):
    """The guided way to a batch. Its address holds every answer, so that a reload and the back button change nothing:

    method   no `flashing_method` yet: how the devices are flashed
    names    their DeviceNames: a quantity, or a workbook (`upload`: its number), which is checked first
    review   `step=review`: what will be used up; the only POST that takes something is the one that starts from here
    """

    permission = "devices.add_batch"

    def get(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product, upload = self._found(product_id)
        given = request.GET
        method = given.get("flashing_method", "")
        if method not in FlashingMethod or given.get("step") == "method":
            return self._show("method", product, self._form(product, upload, initial=given.dict()))
        if given.get("step") != "review":
            return self._show("names", product, self._form(product, upload, initial=given.dict()), upload)
        form = self._form(product, upload, given)
        if not form.is_valid():
            return self._show("names", product, form, upload)
        return self._review(product, form, upload)

    def post(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product, upload = self._found(product_id)
        if "confirmed" in request.POST:
            form = self._form(product, upload, request.GET)
            return self._start(product, form, upload) if form.is_valid() else self._show("names", product, form, upload)
        form = self._form(product, upload, _answers(request), request.FILES)
        if form.is_valid() and form.cleaned_data.get("workbook") and upload is None:
            return self._receive(product, form)
        if "workbook" in form.errors:
            return self._show("names", product, form, upload)
        return HttpResponseRedirect(_address(request, step="review", wish=secrets.token_hex(16)))

    def _review(self, product: Product, form: ProduceForm, upload: Upload | None) -> HttpResponse:
        """What will be used up, or what stands in the way."""
        wish = self.request.GET.get("wish") or secrets.token_hex(16)
        started = Batch.objects.filter(wish=wish, product=product).first()
        if started:
            return self._show("review", product, form, upload, started=started)
        try:
            preview = batches.preview(product.pk, form.wish(), at=timezone.now())
        except DomainError as error:
            return self._refused(product, form, upload, error)
        return self._show("review", product, form, upload, preview=preview, wish=wish)

    def _start(self, product: Product, form: ProduceForm, upload: Upload | None) -> HttpResponse:
        """A form that is sent twice leads to the batch of the first time."""
        wish = self.request.POST.get("wish", "")[:32]
        try:
            batch = batches.request(product.pk, form.wish(wish), by=actor_of(self.request), at=timezone.now())
        except batches.AskedAlready:
            batch = Batch.objects.get(wish=wish)
            messages.info(self.request, _("Batch %(number)s was started already.") % {"number": batch.number})
        except DomainError as error:
            return self._refused(product, form, upload, error)
        else:
            nudge("devices.fill_batch", batch.pk)
            messages.success(self.request, _("Batch %(number)s has started.") % {"number": batch.number})
        return HttpResponseRedirect(reverse("admin:devices_batch_change", args=[batch.pk]))

    def _refused(self, product: Product, form: ProduceForm, upload: Upload | None, error: DomainError) -> HttpResponse:
        obstacles = production_obstacles.of_product(self.request, product) or [production_obstacles.of_error(self.request, product, error)]
        return self._show("review", product, form, upload, obstacles=obstacles)

    def _receive(self, product: Product, form: ProduceForm) -> HttpResponse:
        """Stores the workbook and has it checked; a small one at once."""
        file = form.cleaned_data["workbook"]
        new = uploads.NewUpload(file.name, file.size, file.chunks(), purpose=UploadPurpose.BATCH)
        try:
            upload = uploads.receive(product, new, by=actor_of(self.request), at=timezone.now())
        except DomainError as error:
            put_error(form, error, {"upload": "workbook"})
            return self._show("names", product, form)
        if file.size <= uploads.SMALL:
            upload_check.check(upload.pk, clock=timezone.now)
        else:
            nudge("devices.check_upload", upload.pk)
        return HttpResponseRedirect(_address(self.request, source="upload", upload=str(upload.pk)))

    def _found(self, product_id: int) -> tuple[Product, Upload | None]:
        """The product, and the workbook that the address names: it must be this product's."""
        product = seen_product(self.request, product_id)
        wanted = self.request.GET.get("upload", "")
        uploaded = Upload.objects.filter(product=product, purpose=UploadPurpose.BATCH)
        return product, uploaded.filter(pk=int(wanted)).first() if wanted.isdecimal() else None

    def _form(self, product: Product, upload: Upload | None, *data: Any, **how: Any) -> ProduceForm:
        return ProduceForm(*data, product=product, upload=upload, method=self.request.GET.get("flashing_method", ""), **how)

    def _show(self, step: str, product: Product, form: ProduceForm, upload: Upload | None = None, **facts: Any) -> HttpResponse:
        used_by = Batch.objects.filter(upload=upload).first() if upload else None
        return self.page(
            "devices/produce.html",
            title=_("Batch production"),
            step=step,
            way=production_way.steps(step, self.request),
            product=product,
            obstacles=facts.pop("obstacles", None) or production_obstacles.of_product(self.request, product),
            enable_url=production_obstacles.ENABLE.href(self.request, product),
            add_pool_url=production_obstacles.ADD_POOL.href(self.request, product),
            form=form,
            upload=upload,
            used_by=used_by,
            upload_is_good=upload is not None and upload.state == JobState.DONE and not upload.bad_rows and used_by is None,
            upload_url=_url_or_none("admin:devices_upload_change", upload.pk) if upload else None,
            method=_label_of_method(self.request),
            carried=[(name, value) for name, value in self.request.GET.items() if name not in ("step", "wish", "flashing_method")],
            names_url=_address(self.request),
            other_workbook_url=_address(self.request, upload="", source="upload"),
            review_url=_address(self.request, step="review", source="upload"),
            **facts,
        )


def _answers(request: HttpRequest) -> QueryDict:
    """What the address holds already, and what this step's form adds."""
    answers = request.GET.copy()
    for name in production_way.ANSWERS:
        if name in request.POST:
            answers[name] = request.POST[name]
    return answers


def _address(request: HttpRequest, **changes: str) -> str:
    """This page with these answers; without `step` and `wish` unless they are given."""
    answers = {name: value for name, value in _answers(request).items() if name in production_way.ANSWERS} | changes
    return f"{request.path}?{urlencode({name: value for name, value in answers.items() if value})}"


def _label_of_method(request: HttpRequest) -> Any:
    method = request.GET.get("flashing_method", "")
    return FlashingMethod(method).label if method in FlashingMethod else ""


def template_view(request: HttpRequest, product_id: int) -> HttpResponseBase:
    """The workbook to fill in: one column, its cells formatted as text."""
    if not request.user.has_perm("devices.add_batch"):
        raise PermissionDenied
    seen_product(request, product_id)
    sheet = xlsx_writer.Sheet("DeviceNames", ["DeviceName"], [], widths=[32])
    headers = {"Content-Disposition": f'attachment; filename="device-names-{product_id}.xlsx"'}
    return StreamingHttpResponse(xlsx_writer.stream(sheet), content_type=xlsx_writer.CONTENT_TYPE, headers=headers)


def _url_or_none(name: str, pk: int) -> str | None:
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return None
