"""Which data center's list an operator looks at: chosen once, kept in the session."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from products.models import DataCenter

SESSION_KEY = "data_center"
CENTER = "center"
"""What a link to a list names the data center by."""


def selected(request: HttpRequest) -> DataCenter:
    """The one that was chosen, else the home one. Looked up once for a request."""
    code = request.session.get(SESSION_KEY)
    known: tuple[str | None, DataCenter] | None = getattr(request, "selected_data_center", None)
    if known is None or known[0] != code:
        known = code, (DataCenter.objects.filter(code=code).first() if code else None) or DataCenter.objects.home()
        request.selected_data_center = known  # type: ignore[attr-defined]
    return known[1]


def select(request: HttpRequest, code: str) -> DataCenter | None:
    """Keeps the choice for the session; None where there is no such data center."""
    center = DataCenter.objects.filter(code=code).first()
    if center is not None:
        request.session[SESSION_KEY] = center.code
    return center


class CenterSelector:
    """An admin list of one data center at a time, with the selector above it. Goes before the ModelAdmin."""

    list_before_template = "devices/selector.html"
    model: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.select_center)
        return [path("data-center/", view, name=self._url_name("select_center")), *super().get_urls()]

    def select_center(self, request: HttpRequest) -> HttpResponse:
        """POST of a data center's code; back to the list."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        select(request, request.POST.get("code", ""))
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('changelist')}"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """A link may name the data center (?center=): it is selected, as if by hand."""
        if CENTER in request.GET and self.has_view_permission(request):  # type: ignore[attr-defined]
            select(request, request.GET[CENTER])
            rest = request.GET.copy()
            del rest[CENTER]
            return HttpResponseRedirect(f"{request.path}?{rest.urlencode()}")
        shown = {
            "data_center": selected(request),
            "data_centers": list(DataCenter.objects.order_by("-is_home", "name")),
            "select_center_url": reverse(f"admin:{self._url_name('select_center')}"),
        }
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def _url_name(self, view: str) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}_{view}"
