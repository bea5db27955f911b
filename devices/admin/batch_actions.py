"""What can be done with a batch on its page: cancel it, undo it, make a download code for it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.errors import Invalid
from console.shared.page_actions import Occasion, PageAction
from console.shared.tasks import nudge
from console.words import say
from devices.models import Batch, FileFormat
from devices.services import batch_files, batches, download_codes, undoing

PLAIN = {"autocomplete": "off"}


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200, widget=forms.TextInput(attrs=PLAIN))


class UndoForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.TextInput(attrs=PLAIN))
    typed = forms.CharField(
        label=_("Batch number"),
        max_length=32,
        help_text=_("Type the number of this batch, as it stands at the top of the page."),
        widget=forms.TextInput(attrs=PLAIN | {"spellcheck": "false"}),
    )


class CodeForm(forms.Form):
    """`hours`: how long the code is valid."""

    format = forms.ChoiceField(label=_("File"), choices=FileFormat.choices)
    note = forms.CharField(
        label=_("For whom"), max_length=200, help_text=_("A contract manufacturer and a purchase order, for example."),
        widget=forms.TextInput(attrs=PLAIN),
    )  # fmt: skip
    hours = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        initial=24,
        choices=[(1, _("1 hour")), (8, _("8 hours")), (24, _("1 day")), (72, _("3 days")), (168, _("7 days")), (720, _("30 days"))],
    )
    uses = forms.IntegerField(label=_("Downloads allowed"), min_value=1, max_value=download_codes.USES_AT_MOST, initial=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["format"]
        field.choices = [(form.value, form.label) for form in self.initial.get("formats", FileFormat)]


def formats_of(batch: Batch) -> list[FileFormat]:
    """Those that the batch can be had in."""
    return [form for form in FileFormat if batch_files.can_be_had(batch, form)]


def may_be_undone(batch: Batch) -> bool:
    """As far as its record says; the service asks the data centers too."""
    return bool(batch.is_over and batch.made and batch.undo_began_at is None and not undoing.in_the_way(batch))


def _cancel(occasion: Occasion) -> None:
    batches.cancel(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)


def _undo(occasion: Occasion) -> str:
    number = occasion.target.number
    if occasion.data["typed"].strip().upper() != number:
        raise Invalid(say("Type {number} to undo this batch.", number=number), field="typed")
    undo = batches.undo(occasion.target.pk, reason=occasion.data["reason"], by=occasion.by, at=occasion.at)
    nudge("devices.undo_batch", undo.pk)
    return say("The batch is being undone: from now on none of its devices can register.")


def _make_code(occasion: Occasion) -> dict[str, Any]:
    data = occasion.data
    new = download_codes.NewCode(data["format"], data["note"], timedelta(hours=data["hours"]), data["uses"])
    made = download_codes.make(occasion.target.pk, new, by=occasion.by, at=occasion.at)
    return {"download_code": made.text, "download_code_row": made.row}


def _has_files(batch: Batch) -> bool:
    return bool(batch.is_over and batch.made and batch.undo_began_at is None)


CANCEL = PageAction(
    name="cancel",
    permission="devices.cancel_batch",
    label=_("Cancel batch"),
    title=_("Cancel this batch?"),
    words=(
        _("The devices that are made already stay, with their activation codes."),
        _("The quota and the codes of all others go back to the product."),
        _("MAC addresses that were reserved for it are not handed out again."),
    ),
    confirm=_("Cancel batch"),
    done=_("The batch is being cancelled."),
    form=CancelForm,
    run=_cancel,
    offered=lambda batch: not batch.is_over and not batch.cancel_requested,
    danger=True,
)

UNDO = PageAction(
    name="undo",
    permission="devices.undo_batch",
    label=_("Undo batch"),
    title=_("Undo this batch?"),
    words=(
        _("Its devices go from the pre-import list, and none of them can register from this moment."),
        _("Their quota and activation codes go back to the product; the record of the batch stays, with your name and reason."),
        _("MAC addresses that were reserved for it are not handed out again."),
    ),
    warnings=(_("If a device of the batch is in a data center's device list already, nothing is undone, and this page says which one."),),
    confirm=_("Undo batch"),
    form=UndoForm,
    run=_undo,
    offered=may_be_undone,
    danger=True,
)

MAKE_CODE = PageAction(
    name="make_code",
    permission="devices.add_downloadcode",
    needs=("devices.download_activation_codes",),
    label=_("Make a download code"),
    title=_("Make a download code"),
    words=(
        _("Whoever has the code downloads the file without an account, at /download/ or by API."),
        _("It ends when it expires, is used up or is revoked."),
        _("The code is shown once. Every download is written into the audit log with the address it came from."),
    ),
    confirm=_("Make the code"),
    form=CodeForm,
    initial=lambda batch: {"format": FileFormat.CSV, "hours": 24, "uses": 1, "formats": formats_of(batch)},
    run=_make_code,
    offered=_has_files,
    guarded=True,
)
