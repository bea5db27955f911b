"""What an operator can do on a broker's page."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from console.shared.page_actions import Occasion, PageAction
from products.admin.forms import ReasonForm
from products.models import Broker
from products.services import brokers
from registration.admin.broker_forms import BrokerForm, EmbeddedForm, facts_of
from registration.services import broker_removal

CHANGE = "products.change_broker"


def stored(broker: Broker, occasion: Occasion, **facts: Any) -> Broker:
    """An empty secret is one that stays as it is."""
    data = {**facts, **occasion.data}
    for name in ("management_secret", "events_url"):
        data[name] = data.get(name) or None
    return brokers.save(broker, **data, by=occasion.by, at=occasion.at)


def _edit(occasion: Occasion) -> None:
    broker = occasion.target
    stored(broker, occasion, data_center=broker.data_center, kind=broker.kind)


def _edit_embedded(occasion: Occasion) -> None:
    kept = {name: getattr(occasion.target, name) for name in ("data_center", "kind", "management_url", "management_user", "vhost")}
    stored(occasion.target, occasion, **kept)


def _reveal(occasion: Occasion) -> dict[str, str]:
    return {"hook_secret": brokers.reveal_hook_secret(occasion.target, by=occasion.by, at=occasion.at)}


def _renew(occasion: Occasion) -> dict[str, str]:
    return {"hook_secret": brokers.renew_hook_secret(occasion.target, by=occasion.by, at=occasion.at)}


def _remove(occasion: Occasion) -> None:
    broker_removal.remove(occasion.target, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def asks(broker: Broker) -> bool:
    """The embedded broker asks in our own process and needs no secret."""
    return broker.kind != "embedded"


BROKER_ACTIONS = (
    PageAction(
        name="edit",
        permission=CHANGE,
        label=_("Edit"),
        title=_("Edit the broker"),
        confirm=_("Save"),
        done=_("The broker was changed."),
        form=BrokerForm,
        initial=facts_of,
        run=_edit,
        offered=asks,
        icon="edit",
    ),
    PageAction(
        name="edit_embedded",
        permission=CHANGE,
        label=_("Edit"),
        title=_("Edit the broker"),
        confirm=_("Save"),
        done=_("The broker was changed."),
        form=EmbeddedForm,
        initial=facts_of,
        run=_edit_embedded,
        offered=lambda broker: not asks(broker),
        icon="edit",
    ),
    PageAction(
        name="reveal_secret",
        permission="products.reveal_hook_secret",
        label=_("Show"),
        title=_("Show the hook secret?"),
        words=(
            _("Whoever has it can try devices' credentials here, and can tell us that a device came or left."),
            _("The secret is shown once, in the lines to paste too, and the audit log says that you read it."),
        ),
        confirm=_("Show the secret"),
        run=_reveal,
        guarded=True,
        offered=asks,
    ),
    PageAction(
        name="renew_secret",
        permission="products.reveal_hook_secret",
        label=_("Renew"),
        title=_("Make a new hook secret?"),
        words=(_("The new secret is shown once, in the lines to paste too."),),
        warnings=(
            _("The old one is void at once: until the broker has the new one, no device can connect there. Those connected stay."),
            _("Brokers that ask about each topic refuse connected devices too until then."),
        ),
        confirm=_("Make a new secret"),
        run=_renew,
        guarded=True,
        offered=asks,
        danger=True,
    ),
    PageAction(
        name="remove",
        permission="products.delete_broker",
        label=_("Delete"),
        title=_("Delete this broker?"),
        words=(_("Whatever it asks from now on, it is told no. Devices that are connected there stay until they leave or it ends them."),),
        warnings=(_("Orders to cut devices off there are not carried out any more."),),
        confirm=_("Delete"),
        done=_("The broker was deleted."),
        form=ReasonForm,
        run=_remove,
        danger=True,
    ),
)
