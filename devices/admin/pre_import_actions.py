"""What an operator can do with a row of the pre-import list."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from console.errors import DomainError
from console.shared.page_actions import Occasion, PageAction
from devices.admin.pre_import_forms import FIELD_NAMES, DeleteForm, EditForm
from devices.admin.secret_action import reveal_secret
from devices.models import PreImportedDevice
from devices.services import pre_import


def _facts(row: PreImportedDevice) -> dict[str, Any]:
    return {
        "nickname": row.nickname,
        "sn": row.sn or "",
        "authentication": row.authentication,
        "certificate_fingerprint": row.certificate_fingerprint,
    }


def _edit(occasion: Occasion) -> None:
    try:
        pre_import.edit(occasion.target.pk, dict(occasion.data), by=occasion.by, at=occasion.at)
    except DomainError as error:
        error.field = FIELD_NAMES.get(error.field, error.field)
        raise


def _read_secret(occasion: Occasion) -> str:
    return pre_import.reveal_secret(occasion.target, by=occasion.by, at=occasion.at)


def _delete(occasion: Occasion) -> None:
    void = occasion.data["devices"] == DeleteForm.VOID
    pre_import.delete([occasion.target.pk], with_devices=void, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


ROW_ACTIONS = (
    PageAction(
        name="edit",
        permission="devices.change_preimporteddevice",
        label=_("Edit"),
        title=_("Edit this row"),
        words=(_("Only the pre-import list changes. Devices that are in some data center's list already keep what they have."),),
        confirm=_("Save"),
        done=_("The row was changed."),
        form=EditForm,
        initial=_facts,
        run=_edit,
        icon="edit",
    ),
    reveal_secret(_read_secret),
    PageAction(
        name="remove",
        permission="devices.delete_preimporteddevice",
        label=_("Delete"),
        title=_("Delete this row?"),
        words=(
            _("The DeviceName may no longer come, unless it is added anew, with a new DeviceSecret. Its place of the quota is free again."),
        ),
        warnings=(_("This cannot be undone."),),
        confirm=_("Delete"),
        done=_("The row was deleted."),
        form=DeleteForm,
        initial=lambda row: {"devices": DeleteForm.KEEP},
        run=_delete,
        danger=True,
    ),
)
