"""On a product's page: its devices in each data center."""

from datetime import datetime

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from console.shared.panels import panel
from devices.models import AutoCreation, Device
from products.models import CertificateAuthority, DataCenter, Product

CAP = 10_000


@panel("products.product")
def devices_of(request: HttpRequest, product: Product) -> SafeString | str:
    """Counted up to CAP in each data center."""
    if not request.user.has_perm("devices.view_device"):
        return ""
    at, with_certificates = timezone.now(), CertificateAuthority.objects.serving(product.pk).exists()
    rows = [_row(center, product, at if with_certificates else None) for center in DataCenter.objects.order_by("-is_home", "name")]
    context = {"product": product, "rows": rows, "cap": CAP}
    return render_to_string("devices/product_panel.html", context, request)


def _row(center: DataCenter, product: Product, at: datetime | None) -> dict[str, object]:
    """`at`: None for a product whose devices bring no certificates."""
    here = Device.objects.at(center).of(product).order_by()
    created = AutoCreation.objects.using(center.database).filter(product_id=product.pk).values_list("created", flat=True).first()
    ending = here.with_certificate("ends", at)[: CAP + 1].count() if at else 0
    return {"center": center, "devices": here[: CAP + 1].count(), "created": created or 0, "ending": ending}
