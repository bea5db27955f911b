"""On a product's page: its latest batches, and the way to the next one."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.shared.panels import panel
from devices.models import Batch
from products.models import Product

LATEST = 5


@panel("products.product")
def production_of(request: HttpRequest, product: Product) -> SafeString | str:
    if not request.user.has_perm("devices.view_batch"):
        return ""
    batches = list(Batch.objects.filter(product=product)[:LATEST])
    may_produce = product.is_published and request.user.has_perm("devices.add_batch")
    return render_to_string("devices/production_panel.html", {"product": product, "batches": batches, "may_produce": may_produce}, request)
