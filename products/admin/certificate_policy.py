"""On a product's page: the CA certificates whose devices it takes, and how it reads their certificates."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.shared.page_actions import Occasion, PageAction
from products.admin.authority_forms import PolicyForm
from products.admin.authority_words import end_badge, state_badge
from products.models import AuthorityState, CertificateAuthority, Product
from products.services import access, authorities, certificate_policies

CHANGE = "products.change_certificateauthority"


def _change(occasion: Occasion) -> None:
    certificate_policies.change(occasion.target.pk, dict(occasion.data), by=occasion.by, at=occasion.at)


POLICY_ACTION = PageAction(
    name="certificate_policy",
    permission=CHANGE,
    label=_("Change"),
    title=_("How certificates are read"),
    words=(
        _(
            "A device with a certificate comes under the DeviceName that stands in it. "
            "Names that nobody imported follow the switch of automatic creation."
        ),
    ),
    warnings=(_("Devices whose certificates have their name in another place are refused from then on."),),
    confirm=_("Save"),
    done=_("How certificates are read was changed."),
    form=PolicyForm,
    initial=lambda product: certificate_policies.facts_of(authorities.policy_of(product.pk)),
    run=_change,
)


def context(request: HttpRequest, product: Product) -> dict[str, Any]:
    """What templates/products/certificates.html shows; nothing for who may not see CA certificates."""
    user: Any = request.user
    if not user.has_perm("products.view_certificateauthority"):
        return {}
    now = timezone.now()
    rows = list(CertificateAuthority.objects.serving(product.pk))
    policy = authorities.policy_of(product.pk)
    return {
        "authorities": [(row, state_badge(row, now), end_badge(row, now)) for row in rows],
        "authorities_open": any(row.state == AuthorityState.ACTIVE and not row.has_ended(now) for row in rows),
        "authority_pages": access.sees_every_product(user),
        "certificate_policy": policy,
    }
