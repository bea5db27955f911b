"""What an operator can do on a product's page. The words are those of the vendors' documents (A1, A2, A4, G1 to G3, T2)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from console.shared.page_actions import Occasion, PageAction
from products.admin.forms import AutoCreateForm, FactsForm, GrantForm, PolicyForm, ReasonForm, TurnOnForm
from products.services import products, supply, switches

CHANGE = "products.change_product"
DISCLOSURE = _(
    "All devices of the product carry the same firmware with the same ProductKey and ProductSecret, so "
    "there is the risk that these are disclosed. "
    "Turn dynamic registration off to reject requests from new devices."
)


def _initial(*names: str) -> Any:
    return lambda product: {name: getattr(product, name) for name in names}


def _change(occasion: Occasion) -> None:
    products.change(occasion.target.pk, dict(occasion.data), by=occasion.by, at=occasion.at)


def _publish(occasion: Occasion) -> None:
    products.publish(occasion.target.pk, by=occasion.by, at=occasion.at)


def _withdraw(occasion: Occasion) -> None:
    products.withdraw(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _reveal(occasion: Occasion) -> dict[str, str]:
    return {"product_secret": products.reveal_secret(occasion.target, by=occasion.by, at=occasion.at)}


def _request_code(occasion: Occasion) -> str:
    return switches.request_code(occasion.target, user=occasion.request.user)


def _turn_on(occasion: Occasion) -> None:
    switches.turn_on_dynamic_registration(
        occasion.target,
        **occasion.data,
        user=occasion.request.user,
        by=occasion.by,
        at=occasion.at,
    )


def _turn_off(occasion: Occasion) -> None:
    switches.turn_off_dynamic_registration(occasion.target, by=occasion.by, at=occasion.at)


def _auto_create(occasion: Occasion) -> None:
    data = occasion.data
    switches.set_automatic_creation(
        occasion.target, enabled=data["auto_create"], limit=data["auto_create_limit"], by=occasion.by, at=occasion.at
    )


def _enable_per_product(occasion: Occasion) -> None:
    switches.enable_per_product_secret(occasion.target, by=occasion.by, at=occasion.at)


def _disable_per_product(occasion: Occasion) -> None:
    switches.disable_per_product_secret(occasion.target, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _preregistration_free(enabled: bool) -> Any:
    def run(occasion: Occasion) -> None:
        switches.set_preregistration_free(occasion.target, enabled=enabled, by=occasion.by, at=occasion.at)

    return run


def _grant(occasion: Occasion) -> None:
    supply.grant_codes(occasion.target, quantity=occasion.data["quantity"], note=occasion.data["note"], by=occasion.by, at=occasion.at)


PRODUCT_ACTIONS = (
    PageAction(
        name="publish",
        permission=CHANGE,
        label=_("Publish"),
        title=_("Publish this product?"),
        words=(_("From now on it can be mass-produced, and its devices can register. Only published products can."),),
        confirm=_("Publish"),
        done=_("The product is published."),
        run=_publish,
        offered=lambda product: not product.is_published,
        primary=True,
        icon="publish",
    ),
    PageAction(
        name="withdraw",
        permission=CHANGE,
        label=_("Withdraw"),
        title=_("Withdraw this product?"),
        words=(_("Its status goes back to Developing. It can no longer be mass-produced, and devices that ask to register are refused."),),
        warnings=(
            _(
                "Devices that are still in production or in shops cannot be activated until you publish the product "
                "again. Those connected stay."
            ),
        ),
        confirm=_("Withdraw"),
        done=_("The product is withdrawn."),
        form=ReasonForm,
        run=_withdraw,
        offered=lambda product: product.is_published,
        danger=True,
    ),
    PageAction(
        name="edit",
        permission=CHANGE,
        label=_("Edit"),
        title=_("Edit the product's facts"),
        words=(_("The wire protocol, the ProductKey and the ProductSecret stay as they are: firmware carries them."),),
        confirm=_("Save"),
        done=_("The product was changed."),
        form=FactsForm,
        initial=_initial("name", "network_protocol", "device_name_kind", "device_quota"),
        run=_change,
        icon="edit",
    ),
    PageAction(
        name="reveal_secret",
        permission="products.view_productsecret",
        label=_("Show"),
        title=_("Show the ProductSecret?"),
        words=(
            _("Whoever has the ProductKey and the ProductSecret can register devices of this product."),
            _("The secret is shown once, and the audit log says that you read it."),
        ),
        confirm=_("Show the secret"),
        run=_reveal,
        guarded=True,
    ),
    PageAction(
        name="request_code",
        permission=CHANGE,
        label=_("Turn on"),
        title=_("Turn on dynamic registration?"),
        words=(
            _(
                "Devices can then register with the ProductKey and the ProductSecret and receive their DeviceSecret. "
                "The per-product secret flashing method is enabled with it."
            ),
            _("A one-time verification code confirms that it is you. It is sent when you go on."),
        ),
        warnings=(DISCLOSURE,),
        confirm=_("Send the code"),
        run=_request_code,
        offered=lambda product: not product.dynamic_registration,
        then="turn_on",
    ),
    PageAction(
        name="turn_on",
        permission=CHANGE,
        label=_("Enter the code"),
        title=_("Enter the verification code"),
        words=(_("Dynamic registration is on as soon as the code is accepted."),),
        confirm=_("Turn on dynamic registration"),
        done=_("Dynamic registration is on."),
        form=TurnOnForm,
        run=_turn_on,
        offered=lambda product: not product.dynamic_registration,
    ),
    PageAction(
        name="turn_off",
        permission=CHANGE,
        label=_("Turn off"),
        title=_("Turn off dynamic registration?"),
        words=(_("Activation requests of new devices are refused from now on. Devices that are already activated are not affected."),),
        warnings=(_("To turn it on again you need a new verification code."),),
        confirm=_("Turn off"),
        done=_("Dynamic registration is off."),
        run=_turn_off,
        offered=lambda product: product.dynamic_registration,
        danger=True,
    ),
    PageAction(
        name="automatic_creation",
        permission=CHANGE,
        label=_("Change"),
        title=_("Automatic creation"),
        words=(_("Whether devices whose DeviceName is not in the pre-import list are created when they register, and how many at most."),),
        confirm=_("Save"),
        done=_("Automatic creation was changed."),
        form=AutoCreateForm,
        initial=_initial("auto_create", "auto_create_limit"),
        run=_auto_create,
        offered=lambda product: product.dynamic_registration,
    ),
    PageAction(
        name="enable_per_product",
        permission=CHANGE,
        label=_("Enable"),
        title=_("Enable the per-product secret flashing method?"),
        words=(
            _(
                "All devices of the product are flashed with the same ProductSecret; their DeviceNames are uploaded "
                "beforehand, and each device "
                "receives its own DeviceSecret when it registers."
            ),
        ),
        warnings=(
            _("Its security is general, that of a per-device secret is high: a per-device secret is recommended."),
            _(
                "An activated device cannot obtain its certificate again. Devices must store it for good and keep it "
                "when they are restored to factory settings."
            ),
            _("Make sure that the flashed information is correct: it cannot be changed on the device, which must then be flashed again."),
        ),
        confirm=_("Enable"),
        done=_("The per-product secret flashing method is enabled."),
        run=_enable_per_product,
        offered=lambda product: not product.per_product_secret,
    ),
    PageAction(
        name="disable_per_product",
        permission=CHANGE,
        label=_("Disable"),
        title=_("Disable the per-product secret flashing method?"),
        words=(_("If you have already flashed devices with the per-product secret, do not disable it."),),
        warnings=(
            _("Devices that were flashed this way can no longer be activated. This does not affect devices that are already connected."),
            _("Disabling it after mass production may lead to customer complaints and financial losses. Proceed with caution."),
        ),
        confirm=_("Disable"),
        done=_("The per-product secret flashing method is disabled."),
        form=ReasonForm,
        run=_disable_per_product,
        offered=lambda product: product.per_product_secret,
        danger=True,
    ),
    PageAction(
        name="allow_preregistration_free",
        permission=CHANGE,
        label=_("Allow"),
        title=_("Allow devices without pre-registration?"),
        words=(
            _(
                "A device then needs no row in the pre-import list: it asks with the ProductKey and the "
                "ProductSecret and receives a ClientID and a DeviceToken."
            ),
            _("At most five physical devices can be activated under one DeviceName."),
        ),
        warnings=(DISCLOSURE,),
        confirm=_("Allow"),
        done=_("Devices without pre-registration are allowed."),
        run=_preregistration_free(True),
        offered=lambda product: not product.preregistration_free,
    ),
    PageAction(
        name="refuse_preregistration_free",
        permission=CHANGE,
        label=_("Refuse"),
        title=_("Refuse devices without pre-registration?"),
        words=(_("Requests for a ClientID and a DeviceToken are refused from now on. Those that were issued stay valid."),),
        confirm=_("Refuse"),
        done=_("Devices without pre-registration are refused."),
        run=_preregistration_free(False),
        offered=lambda product: product.preregistration_free,
        danger=True,
    ),
    PageAction(
        name="policy",
        permission=CHANGE,
        label=_("Change"),
        title=_("Re-registration"),
        words=(
            _("What happens when a device asks for its DeviceSecret again. An activated device never gets it again, until it is reset."),
        ),
        confirm=_("Save"),
        done=_("The re-registration policy was changed."),
        form=PolicyForm,
        initial=_initial("reregistration", "new_secret_each_time"),
        run=_change,
    ),
    PageAction(
        name="grant_codes",
        permission="products.add_codegrant",
        label=_("Grant codes"),
        title=_("Grant activation codes"),
        words=(_("Mass production uses one activation code for each device it makes. A grant cannot be taken back."),),
        confirm=_("Grant"),
        done=_("The activation codes were granted."),
        form=GrantForm,
        run=_grant,
        icon="add",
    ),
)
