"""The switches of a product. Turning dynamic registration on takes two calls: one sends a code, the other brings it back (A2)."""

from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from products.api import finding
from products.api.forms import AutoCreateForm, CodeSent, ProductRow, SwitchForm, TurnOnForm
from products.models import Product
from products.services import switches

TAG = "Products"
CHANGE = "products.change_product"


class RequestCode(Endpoint):
    @operation(
        name="request_dynamic_registration_code",
        summary="Have a verification code sent",
        tag=TAG,
        permission=CHANGE,
        answer=CodeSent,
        words="To the person who owns the API key, through the channel of this installation. It is good for five minutes and three tries.",
    )
    def post(self, call: Call, key: str) -> dict[str, str]:
        return {"sent": switches.request_code(finding.product(call, key), user=_person(call))}


class TurnOn(Endpoint):
    @operation(
        name="turn_on_dynamic_registration",
        summary="Turn dynamic registration on",
        tag=TAG,
        permission=CHANGE,
        body=TurnOnForm,
        answer=ProductRow,
        once=True,
        words="With the code that was sent; the per-product secret flashing method is enabled with it.",
    )
    def post(self, call: Call, key: str) -> Product:
        product = finding.product(call, key)
        switches.turn_on_dynamic_registration(product, **call.data, user=_person(call), by=call.by, at=call.at)
        return finding.product(call, key)


class TurnOff(Endpoint):
    @operation(
        name="turn_off_dynamic_registration",
        summary="Turn dynamic registration off",
        tag=TAG,
        permission=CHANGE,
        answer=ProductRow,
        once=True,
        words="New requests are refused; activated devices are not affected.",
    )
    def post(self, call: Call, key: str) -> Product:
        switches.turn_off_dynamic_registration(finding.product(call, key), by=call.by, at=call.at)
        return finding.product(call, key)


class AutomaticCreation(Endpoint):
    @operation(
        name="set_automatic_creation",
        summary="Set automatic creation",
        tag=TAG,
        permission=CHANGE,
        body=AutoCreateForm,
        answer=ProductRow,
        once=True,
        words="Whether names that nobody imported are created, and how many at most (T2, T3).",
        examples=(OpenApiExample("At most 100", request_only=True, value={"enabled": True, "limit": 100}),),
    )
    def post(self, call: Call, key: str) -> Product:
        switches.set_automatic_creation(finding.product(call, key), **call.data, by=call.by, at=call.at)
        return finding.product(call, key)


class EnablePerProductSecret(Endpoint):
    @operation(
        name="enable_per_product_secret", summary="Enable the per-product secret", tag=TAG, permission=CHANGE, answer=ProductRow, once=True
    )
    def post(self, call: Call, key: str) -> Product:
        switches.enable_per_product_secret(finding.product(call, key), by=call.by, at=call.at)
        return finding.product(call, key)


class DisablePerProductSecret(Endpoint):
    @operation(
        name="disable_per_product_secret",
        summary="Disable the per-product secret",
        tag=TAG,
        permission=CHANGE,
        body=ReasonForm,
        answer=ProductRow,
        once=True,
        words="Devices that were flashed this way can no longer be activated; those connected stay (G3).",
    )
    def post(self, call: Call, key: str) -> Product:
        switches.disable_per_product_secret(finding.product(call, key), reason=call.data["reason"], by=call.by, at=call.at)
        return finding.product(call, key)


class PreregistrationFree(Endpoint):
    @operation(
        name="set_preregistration_free",
        summary="Allow or refuse devices without a row",
        tag=TAG,
        permission=CHANGE,
        body=SwitchForm,
        answer=ProductRow,
        once=True,
        examples=(OpenApiExample("Allow", request_only=True, value={"enabled": True}),),
    )
    def post(self, call: Call, key: str) -> Product:
        switches.set_preregistration_free(finding.product(call, key), enabled=call.data["enabled"], by=call.by, at=call.at)
        return finding.product(call, key)


def _person(call: Call) -> object:
    """Who receives codes: the key's owner, or who is signed in."""
    return getattr(call.user, "owner", call.user)
