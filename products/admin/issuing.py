"""Issuing certificates, on a product's page: its issuing CA and what can be done with it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console.shared.page_actions import Occasion, PageAction
from products.admin.forms import ReasonForm
from products.admin.issuing_forms import EndpointForm, MakeForm, OutsideForm, ProfileForm, TakeUpForm, profile_of
from products.models import IssuedCertificate, IssuingCA, Product, PublishedList
from products.services import issuing_ca
from products.services.issuing_ca import Outside

CHANGE = "products.change_issuingca"
KEY_WARNING = _("Whoever can read the console's database and its key ring can sign certificates for any device of this product.")


def current_of(product: Any) -> IssuingCA | None:
    """Asked once for each page: the row is kept on the product that the page is about."""
    if not hasattr(product, "_issuing_ca"):
        product._issuing_ca = IssuingCA.objects.select_related("authority").filter(product=product, current=True).first()
    found: IssuingCA | None = product._issuing_ca
    return found


def _has(product: Product) -> bool:
    return current_of(product) is not None


def _has_none(product: Product) -> bool:
    return current_of(product) is None


def _has_outside(product: Product) -> bool:
    row = current_of(product)
    return row is not None and not row.is_own


def _row(occasion: Occasion) -> IssuingCA:
    row = current_of(occasion.target)
    assert row is not None, "the action is offered where there is one"  # noqa: S101
    return row


def _outside(data: Any) -> Outside:
    return Outside(data["url"], data["header"], data["secret"] or None, data["trust"])


def _make(occasion: Occasion) -> None:
    issuing_ca.make(occasion.target, **occasion.data, by=occasion.by, at=occasion.at)


def _take_up(occasion: Occasion) -> None:
    texts = {name: occasion.data[name].encode() for name in ("certificate", "key")}
    names = {name: occasion.data[name] for name in ("password", "name")}
    issuing_ca.take_up(occasion.target, **texts, **names, by=occasion.by, at=occasion.at)


def _use_outside(occasion: Occasion) -> None:
    data = occasion.data
    issuing_ca.use_outside(occasion.target, authority=data["authority"], outside=_outside(data), by=occasion.by, at=occasion.at)


def _profile(occasion: Occasion) -> None:
    issuing_ca.change(_row(occasion).pk, dict(occasion.data), by=occasion.by, at=occasion.at)


def _endpoint(occasion: Occasion) -> None:
    issuing_ca.change(_row(occasion).pk, {}, outside=_outside(occasion.data), by=occasion.by, at=occasion.at)


def _retire(occasion: Occasion) -> None:
    issuing_ca.retire(_row(occasion).pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _endpoint_of(product: Product) -> dict[str, Any]:
    row = current_of(product)
    return {"url": row.endpoint_url, "header": row.endpoint_header, "trust": row.endpoint_trust} if row else {}


ISSUING_ACTIONS = (
    PageAction(
        name="make_issuing_ca",
        permission=CHANGE,
        label=_("Make a CA"),
        title=_("Make an issuing CA in the console"),
        words=(_("A new key and a certificate of twenty years. It is a CA certificate of this product, active from the start."),),
        warnings=(KEY_WARNING,),
        confirm=_("Make the CA"),
        done=_("The issuing CA was made. Choose now what it writes into certificates, and whether registration answers with them."),
        form=MakeForm,
        run=_make,
        offered=_has_none,
        guarded=True,
    ),
    PageAction(
        name="take_up_issuing_ca",
        permission=CHANGE,
        label=_("Take one up"),
        title=_("Take up a CA that exists"),
        words=(_("Its certificate with its private key: it is checked that they fit, and the key is stored encrypted."),),
        warnings=(KEY_WARNING,),
        confirm=_("Take it up"),
        done=_("The issuing CA was taken up."),
        form=TakeUpForm,
        run=_take_up,
        offered=_has_none,
        guarded=True,
    ),
    PageAction(
        name="use_outside_ca",
        permission=CHANGE,
        label=_("Use a CA outside"),
        title=_("Have certificates issued by a CA outside"),
        words=(
            _("The console sends it a request for each device. Its key stays where it is; only its certificate is here."),
            _("When it does not answer, the registration is refused and nothing is written: the device tries again."),
        ),
        confirm=_("Use it"),
        done=_("Certificates come from the CA outside now."),
        form=OutsideForm,
        run=_use_outside,
        offered=_has_none,
    ),
    PageAction(
        name="issuing_profile",
        permission=CHANGE,
        label=_("Change"),
        title=_("What is issued"),
        words=(_("It holds for certificates that are issued from now on."),),
        warnings=(_("Firmware is built either for keys or for certificates: one that expects the other cannot read the answer."),),
        confirm=_("Save"),
        done=_("What is issued was changed."),
        form=ProfileForm,
        initial=lambda product: profile_of(current_of(product)),
        run=_profile,
        offered=_has,
    ),
    PageAction(
        name="issuing_endpoint",
        permission=CHANGE,
        label=_("Endpoint"),
        title=_("The CSR endpoint"),
        confirm=_("Save"),
        done=_("The endpoint was changed."),
        form=EndpointForm,
        initial=_endpoint_of,
        run=_endpoint,
        offered=_has_outside,
    ),
    PageAction(
        name="retire_issuing_ca",
        permission=CHANGE,
        label=_("Retire"),
        title=_("Retire this issuing CA?"),
        words=(
            _("It issues no more certificates. Those that it has issued stay good, and its revocation list goes on."),
            _("Another one can be made, taken up or used then."),
        ),
        warnings=(_("Until there is another one, registration answers with DeviceSecrets again."),),
        confirm=_("Retire"),
        done=_("The issuing CA is retired."),
        form=ReasonForm,
        run=_retire,
        offered=_has,
        danger=True,
    ),
)


def context(request: HttpRequest, product: Product) -> dict[str, Any]:
    """What templates/products/issuing.html shows; nothing for who may not see it."""
    if not request.user.has_perm("products.view_issuingca"):
        return {}
    row = current_of(product)
    former = IssuingCA.objects.select_related("authority").filter(product=product, current=False)[:5]
    every = [*([row] if row else []), *former]
    published = {one.pk: one for one in PublishedList.objects.defer("der").filter(pk__in=[one.authority_id for one in every])}
    lists = [
        (one, request.build_absolute_uri(reverse("published-list", args=[one.authority_id])))
        for one in every
        if one.authority_id in published
    ]
    return {"issuing": {"row": row, "former": former, "lists": lists, "any": IssuedCertificate.objects.filter(product=product).exists()}}
