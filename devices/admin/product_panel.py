"""On a product's page: its devices in each data center."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.shared.panels import panel
from devices.models import AutoCreation, Device
from products.models import DataCenter, Product

CAP = 10_000


@panel("products.product")
def devices_of(request: HttpRequest, product: Product) -> SafeString | str:
    """Counted up to CAP in each data center."""
    if not request.user.has_perm("devices.view_device"):
        return ""
    rows = [_row(center, product) for center in DataCenter.objects.order_by("-is_home", "name")]
    return render_to_string("devices/product_panel.html", {"product": product, "rows": rows, "cap": CAP}, request)


def _row(center: DataCenter, product: Product) -> dict[str, object]:
    here = Device.objects.at(center).of(product).order_by()
    created = AutoCreation.objects.using(center.database).filter(product_id=product.pk).values_list("created", flat=True).first()
    return {"center": center, "devices": here[: CAP + 1].count(), "created": created or 0}
