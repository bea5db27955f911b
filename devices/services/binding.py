"""Binding: a label goes on a device, at a station with a scanner or by hand. What counts is the device's row of the pre-import list (Q2);
a device that is in a data center's list already keeps what it has there (Q3)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db import DatabaseError, IntegrityError, transaction

from console import audit
from console.errors import Conflict, DomainError, NotFound
from console.shared.actors import Actor
from console.words import Sentence, say
from devices.models import Device, PreImportedDevice, SerialNumber
from devices.rules import labels, names
from devices.services import numbering, pre_import
from products.models import DataCenter, Product
from products.rules.wire_formats import wire_format


class UnknownDevice(NotFound):
    """Not in the product's pre-import list."""

    code = "unknown_device"


class UnknownLabel(NotFound):
    """Nobody generated the SN."""

    code = "unknown_label"


class LabelUsed(Conflict):
    """Another device has it."""

    code = "label_used"


class DeviceHasLabel(Conflict):
    """The device has another one."""

    code = "device_has_label"


class NotBoundSo(Conflict):
    """Somebody changed it meanwhile."""

    code = "not_bound_so"


class Unreadable(Conflict):
    """A scan that is neither a device nor a label."""

    code = "unreadable_scan"


class Meaning(StrEnum):
    """What a scan is."""

    DEVICE = "device"
    LABEL = "label"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Read:
    """A scan as it is stored: a DeviceName, an SN, or a text that may be both."""

    meaning: Meaning
    text: str


@dataclass(frozen=True, slots=True)
class Binding:
    """`repeated`: it was so already. `added`: the device came into the pre-import list with it. `met_in`: the data centers whose device
    list had the device already, which keeps its data there."""

    device_name: str
    sn: str
    repeated: bool = False
    added: bool = False
    met_in: tuple[str, ...] = ()


def recognise(product: Product, text: str) -> Read:
    """A code of ours says that it is a label; other text is a label if it was generated, and a device if it can be a DeviceName of the
    product. Raises Unreadable, WrongProduct."""
    scan = labels.read_scan(text)
    if scan.product_key and scan.product_key != product.key:
        raise numbering.WrongProduct(say("This label was made for another product."), field="scan")
    if scan.sn:
        return Read(Meaning.LABEL, scan.sn)
    sn, name = scan.text.upper(), _device_name(product, scan.text)
    is_label = SerialNumber.objects.filter(sn=sn).exists()
    if not is_label and not name:
        words = "This is neither a device of {product} nor one of its labels: {text}"
        raise Unreadable(say(words, product=product.name, text=scan.text[:40]), field="scan")
    if is_label and name and PreImportedDevice.objects.named(product.pk, name):
        return Read(Meaning.EITHER, scan.text)
    return Read(Meaning.LABEL, sn) if is_label else Read(Meaning.DEVICE, name)


def pair(product: Product, first: str, second: str) -> tuple[str, str]:
    """DeviceName and SN out of two scans in either order; where both can be either, the device comes first. Raises Unreadable."""
    one, other = recognise(product, first), recognise(product, second)
    if one.meaning == other.meaning != Meaning.EITHER:
        raise Unreadable(_TWO_DEVICES if one.meaning is Meaning.DEVICE else _TWO_LABELS, field="scan")
    if one.meaning is Meaning.LABEL or other.meaning is Meaning.DEVICE:
        one, other = other, one
    return _device_name(product, one.text) or one.text, other.text.upper()


_TWO_DEVICES = say("Two devices were scanned. Scan a device and its label.")
_TWO_LABELS = say("Two labels were scanned. Scan a device and its label.")


def look(product: Product, text: str, *, add: bool = False) -> Read:
    """The first of two scans, refused at once if it leads nowhere. Changes nothing. Raises what `recognise` and `bind` raise."""
    read = recognise(product, text)
    if read.meaning is Meaning.LABEL:
        _check_label(product, read.text)
    if read.meaning is Meaning.DEVICE:
        row = PreImportedDevice.objects.named(product.pk, read.text)
        if row is None and not add:
            raise _unknown(product, read.text)
        if row is not None and row.sn:
            raise _has_label(row)
    return read


def bind(product: Product, device_name: str, sn: str, *, add: bool = False, by: Actor, at: datetime) -> Binding:
    """The label goes on the device; with `add` a device that the list has not is added to it first.

    Raises UnknownDevice, UnknownLabel, LabelUsed, DeviceHasLabel, WrongProduct, VoidNumber, or what `pre_import.add` raises. Locks the
    device's row, then the number.
    """
    binding = _bind(product, device_name, sn, add, by=by, at=at)
    return replace(binding, met_in=_met_in(product, binding.device_name))


@transaction.atomic
def _bind(product: Product, device_name: str, sn: str, add: bool, *, by: Actor, at: datetime) -> Binding:
    name = names.device_name(product.device_name_kind, wire_format(product.wire_protocol), device_name)
    _check_known(sn)
    row, added = _row(product, name, add, by=by, at=at)
    if row.sn == sn:
        return Binding(name, sn, repeated=True)
    if row.sn:
        raise _has_label(row)
    try:
        with transaction.atomic():
            PreImportedDevice.objects.filter(pk=row.pk).update(sn=sn)
    except IntegrityError as error:
        raise LabelUsed(_whose(product, sn), field="sn") from error
    numbering.follow([sn], by=by, at=at)
    audit.record("serial_number.bind", row, by=by, at=at, after={"sn": sn, "product": product.key})
    return Binding(name, sn, added=added)


@transaction.atomic
def unbind(product_id: int, device_name: str, sn: str, *, reason: str = "", by: Actor, at: datetime) -> None:
    """The label comes off the device again and is free. Raises NotBoundSo. Locks the device's row, then the number."""
    rows = PreImportedDevice.objects.filter(product_id=product_id, device_name=device_name, sn=sn)
    row = rows.select_for_update().first()
    if row is None:
        words = "The label {sn} is not on {device_name} any more."
        raise NotBoundSo(say(words, sn=sn, device_name=device_name))
    PreImportedDevice.objects.filter(pk=row.pk).update(sn=None)
    numbering.follow([sn], by=by, at=at)
    audit.record("serial_number.unbind", row, by=by, at=at, before={"sn": sn}, reason=reason)


def _row(product: Product, name: str, add: bool, *, by: Actor, at: datetime) -> tuple[PreImportedDevice, bool]:
    """The device's row, locked, and whether it is new. Raises UnknownDevice, or what `pre_import.add` raises."""
    found = PreImportedDevice.objects.of(product).filter(device_name=name).select_for_update().first()
    if found is not None:
        return found, False
    if not add:
        raise _unknown(product, name)
    return pre_import.add(product, pre_import.NewRow(device_name=name), by=by, at=at), True


def _check_label(product: Product, sn: str) -> None:
    """Raises UnknownLabel, WrongProduct, VoidNumber or LabelUsed."""
    _check_known(sn)
    for error in numbering.not_for(product.pk, [sn]).values():
        raise error
    if PreImportedDevice.objects.filter(sn=sn).exists():
        raise LabelUsed(_whose(product, sn), field="sn")


def _check_known(sn: str) -> None:
    """Raises UnknownLabel."""
    if not SerialNumber.objects.filter(sn=sn).exists():
        raise UnknownLabel(say("The label {sn} is unknown: it was not generated here.", sn=sn), field="sn")


def _unknown(product: Product, name: str) -> UnknownDevice:
    words = "{device_name} is not in the pre-import list of {product}."
    return UnknownDevice(say(words, device_name=name, product=product.name), field="device_name")


def _has_label(row: PreImportedDevice) -> DeviceHasLabel:
    return DeviceHasLabel(say("{device_name} has a label already: {sn}.", device_name=row.device_name, sn=row.sn), field="device_name")


def _whose(product: Product, sn: str) -> Sentence:
    """Where the label is; a device of another product is not named."""
    holder = PreImportedDevice.objects.of(product).filter(sn=sn).first()
    if holder is None:
        return say("This label is already on another device.")
    return say("This label is already on {device_name}.", device_name=holder.device_name)


def _device_name(product: Product, text: str) -> str:
    """As it is stored; empty where the product can have none of this name."""
    try:
        return names.device_name(product.device_name_kind, wire_format(product.wire_protocol), text)
    except DomainError:
        return ""


def _met_in(product: Product, name: str) -> tuple[str, ...]:
    """A data center whose database does not answer is left out: the station goes on."""
    found = []
    for center in DataCenter.objects.order_by("-is_home", "name"):
        try:
            with transaction.atomic(using=center.database):
                if Device.objects.at(center).filter(product_id=product.pk, device_name=name).exists():
                    found.append(center.name)
        except DatabaseError:
            continue
    return tuple(found)
