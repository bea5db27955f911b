"""Which data center's list an operator looks at: chosen once, kept in the session."""

from typing import Any

from django.http import HttpRequest

from products.models import DataCenter

SESSION_KEY = "data_center"


def selected(request: HttpRequest) -> DataCenter:
    """The one that was chosen, else the home one."""
    code = request.session.get(SESSION_KEY)
    return (DataCenter.objects.filter(code=code).first() if code else None) or DataCenter.objects.home()


def select(request: HttpRequest, code: str) -> DataCenter | None:
    """Keeps the choice for the session; None where there is no such data center."""
    center = DataCenter.objects.filter(code=code).first()
    if center is not None:
        request.session[SESSION_KEY] = center.code
    return center


def selector(request: HttpRequest) -> dict[str, Any]:
    """What templates/devices/selector.html shows."""
    current = selected(request)
    return {"data_center": current, "data_centers": list(DataCenter.objects.order_by("-is_home", "name"))}
