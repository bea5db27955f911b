"""What can be done with an uploaded workbook: import it, import its good rows alone, check it again, discard it."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.shared.jobs import JobState
from console.shared.page_actions import Occasion, PageAction
from console.shared.tasks import nudge
from devices.models import Batch, Duplicates, Upload, UploadPurpose, UploadStage
from devices.services import upload_check, upload_commit, uploads

IMPORT = "devices.add_preimporteddevice"
IMPORTED_AT_ONCE = 2_000
"""Rows that are imported while the person waits: a moment."""


class CheckedForm(forms.Form):
    """Binds the import to the checked rows that the page showed."""

    sha256 = forms.CharField(widget=forms.HiddenInput)


class GoodRowsForm(CheckedForm):
    """And to the number of rows that stay out, which the person has to agree to."""

    leave_out = forms.IntegerField(widget=forms.HiddenInput)
    agreed = forms.BooleanField(error_messages={"required": _("Tick this, or correct the workbook and upload it again.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        count = self.initial["leave_out"]
        words = ngettext("%(count)s bad row stays out of the pre-import list", "%(count)s bad rows stay out of the pre-import list", count)
        self.fields["agreed"].label = words % {"count": f"{count:,}"}


class DuplicatesForm(forms.Form):
    duplicates = forms.ChoiceField(label=_("DeviceNames that the list has already"), choices=Duplicates.choices, widget=forms.RadioSelect)


def _import(occasion: Occasion) -> str:
    leave_out = occasion.data.get("leave_out", 0)
    sha256 = occasion.data["sha256"]
    upload = upload_commit.request(occasion.target.pk, sha256=sha256, leave_out=leave_out, by=occasion.by, at=occasion.at)
    if upload.good_rows > IMPORTED_AT_ONCE:
        nudge("devices.commit_upload", upload.pk)
        return str(_("The import has started."))
    upload_commit.commit(upload.pk, clock=timezone.now)
    return ""


def _discard(occasion: Occasion) -> None:
    uploads.discard(occasion.target.pk, by=occasion.by, at=occasion.at)


def _check_again(occasion: Occasion) -> None:
    upload = uploads.check_again(occasion.target.pk, duplicates=occasion.data.get("duplicates", ""), by=occasion.by, at=occasion.at)
    if upload.size <= uploads.SMALL:
        upload_check.check(upload.pk, clock=timezone.now)
    else:
        nudge("devices.check_upload", upload.pk)


def is_importable(upload: Upload) -> bool:
    """Checked, kept, and not one bad row."""
    return _is_checked(upload) and not upload.bad_rows


def has_good_rows_alone(upload: Upload) -> bool:
    """Checked, kept, and some of its rows are bad."""
    return _is_checked(upload) and bool(upload.bad_rows)


def _is_checked(upload: Upload) -> bool:
    checked = upload.stage == UploadStage.CHECK and upload.state == JobState.DONE and upload.purpose == UploadPurpose.PRE_IMPORT
    return checked and bool(upload.path) and bool(upload.good_rows)


def _can_be_checked_again(upload: Upload) -> bool:
    return upload.is_over and bool(upload.path) and not uploads.is_imported(upload)


def _can_be_discarded(upload: Upload) -> bool:
    return bool(upload.path) and not upload.cancel_requested and not uploads.is_imported(upload) and not _is_used(upload)


def _is_used(upload: Upload) -> bool:
    """A batch makes its devices from it."""
    return upload.purpose == UploadPurpose.BATCH and Batch.objects.filter(upload=upload).exists()


NO_SECRET_CHANGES = _("Rows that the list has already are not touched: an import never changes a secret.")

UPLOAD_ACTIONS = (
    PageAction(
        name="commit",
        permission=IMPORT,
        label=_("Import"),
        title=_("Import these rows?"),
        words=(
            _("All good rows of the workbook go into the pre-import list, valid in every data center, or none does."),
            _("A DeviceSecret is issued for every row that brings none."),
            NO_SECRET_CHANGES,
        ),
        confirm=_("Import"),
        form=CheckedForm,
        initial=lambda upload: {"sha256": upload.checked_sha256},
        run=_import,
        offered=is_importable,
        primary=True,
        icon="playlist_add",
    ),
    PageAction(
        name="commit_good",
        permission=IMPORT,
        label=_("Import the good rows only"),
        title=_("Import the good rows only?"),
        words=(
            _("The good rows go into the pre-import list, valid in every data center. The bad ones stay out."),
            _("The workbook with its marks is kept for a while, so that you can correct the others and upload them."),
            NO_SECRET_CHANGES,
        ),
        confirm=_("Import the good rows"),
        form=GoodRowsForm,
        initial=lambda upload: {"sha256": upload.checked_sha256, "leave_out": upload.bad_rows},
        run=_import,
        offered=has_good_rows_alone,
    ),
    PageAction(
        name="check_again",
        permission=IMPORT,
        label=_("Check again"),
        title=_("Check this workbook again?"),
        words=(_("The same file is compared with the pre-import list as it is now."),),
        confirm=_("Check again"),
        form=DuplicatesForm,
        initial=lambda upload: {"duplicates": upload.duplicates},
        run=_check_again,
        offered=lambda upload: upload.purpose == UploadPurpose.PRE_IMPORT and _can_be_checked_again(upload),
    ),
    PageAction(
        name="check_names_again",
        permission="devices.add_batch",
        label=_("Check again"),
        title=_("Check this workbook again?"),
        words=(_("The same file is compared with the pre-import list as it is now."),),
        confirm=_("Check again"),
        run=_check_again,
        offered=lambda upload: upload.purpose == UploadPurpose.BATCH and _can_be_checked_again(upload) and not _is_used(upload),
    ),
    PageAction(
        name="discard",
        permission=IMPORT,
        label=_("Discard"),
        title=_("Discard this workbook?"),
        words=(_("Its file is deleted. Nothing of it goes into the pre-import list."),),
        confirm=_("Discard"),
        done=_("The workbook was discarded."),
        run=_discard,
        offered=_can_be_discarded,
        danger=True,
    ),
)
