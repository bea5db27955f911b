"""What an administrator can do on a person's page."""

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.admin.user_forms import NeededReasonForm, PersonForm, RightsForm, facts_of
from console.people import accounts, roles, sign_ins
from console.people.accounts import Rights
from console.shared.page_actions import Occasion, PageAction

CHANGE = "auth.change_user"


def _edit(occasion: Occasion) -> None:
    accounts.edit(occasion.target.pk, dict(occasion.data), by=occasion.by, at=occasion.at)


def _set_rights(occasion: Occasion) -> None:
    data = occasion.data
    rights = Rights(role=data["role"], groups=list(data["groups"]), products=list(data["products"]))
    accounts.set_rights(occasion.target.pk, rights, by=occasion.by, at=occasion.at)


def _disable(occasion: Occasion) -> None:
    accounts.disable(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _enable(occasion: Occasion) -> None:
    accounts.enable(occasion.target.pk, by=occasion.by, at=occasion.at)


def _renew_password(occasion: Occasion) -> dict[str, str]:
    reason = occasion.data["reason"]
    return {"password": accounts.renew_password(occasion.target.pk, reason=reason, by=occasion.by, at=occasion.at)}


def _remove_second_factor(occasion: Occasion) -> None:
    accounts.remove_second_factor(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _end_sessions(occasion: Occasion) -> None:
    accounts.end_sessions(occasion.target.pk, by=occasion.by, at=occasion.at)


def _is_signed_in(person: User) -> bool:
    return bool(sign_ins.of(person, at=timezone.now()))


def _rights_of(person: User) -> dict[str, Any]:
    groups = [group.pk for group in person.groups.all() if group.name not in roles.ROLES]
    products = [product.pk for product in accounts.chosen_products(person)]
    return {"role": accounts.role_of(person), "groups": groups, "products": products}


USER_ACTIONS = (
    PageAction(
        name="edit",
        permission=CHANGE,
        label=_("Edit"),
        title=_("Edit name and mail address"),
        confirm=_("Save"),
        done=_("The person was changed."),
        form=PersonForm,
        initial=facts_of,
        run=_edit,
        icon="edit",
    ),
    PageAction(
        name="rights",
        permission=CHANGE,
        label=_("Change rights"),
        title=_("What may this person do?"),
        words=(_("It counts from their next click on. You can only hand out what you may do yourself."),),
        confirm=_("Save"),
        done=_("The person's rights were changed."),
        form=RightsForm,
        initial=_rights_of,
        run=_set_rights,
        icon="shield_person",
    ),
    PageAction(
        name="renew_password",
        permission=CHANGE,
        label=_("New password"),
        title=_("Make a new password for this person?"),
        words=(_("It is shown once, to you. Hand it over in person; they change it on their account page."),),
        warnings=(_("The old password is void, and every session of the person ends."),),
        confirm=_("Make a new password"),
        form=NeededReasonForm,
        run=_renew_password,
        guarded=True,
    ),
    PageAction(
        name="remove_second_factor",
        permission=CHANGE,
        label=_("Remove second factor"),
        title=_("Remove this person's second factor?"),
        words=(
            _("For somebody who lost their phone. The authenticator app and the recovery codes count for nothing from then on."),
            _("At the next sign-in the password alone is enough, until they set up an app again."),
        ),
        warnings=(_("Make sure that it is really this person who asks: whoever has the password gets in."),),
        confirm=_("Remove"),
        done=_("The second factor was removed."),
        form=NeededReasonForm,
        run=_remove_second_factor,
        offered=accounts.has_second_factor,
        danger=True,
        guarded=True,
    ),
    PageAction(
        name="end_sessions",
        permission=CHANGE,
        label=_("End sessions"),
        title=_("End every session of this person?"),
        words=(_("Wherever they are signed in, they are out at their next click, and can sign in again."),),
        confirm=_("End sessions"),
        done=_("The person is signed out everywhere."),
        run=_end_sessions,
        offered=_is_signed_in,
    ),
    PageAction(
        name="disable",
        permission=CHANGE,
        label=_("Disable"),
        title=_("Disable this person?"),
        words=(_("They are signed out at their next click and cannot sign in until you enable them again. What they did stays."),),
        confirm=_("Disable"),
        done=_("The person is disabled."),
        form=NeededReasonForm,
        run=_disable,
        offered=lambda person: person.is_active,
        danger=True,
    ),
    PageAction(
        name="enable",
        permission=CHANGE,
        label=_("Enable"),
        title=_("Enable this person?"),
        words=(_("They can sign in again, with the rights and the password they had."),),
        confirm=_("Enable"),
        done=_("The person is enabled."),
        run=_enable,
        offered=lambda person: not person.is_active,
        primary=True,
    ),
)
