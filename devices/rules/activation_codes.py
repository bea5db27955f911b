"""The files that a factory flashes from: their columns and what stands in them (G10). Names and secrets are never altered."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat

from console.errors import Invalid
from devices.rules import macs

CSV, XLSX, ALIGENIE = "csv", "xlsx", "aligenie"


class FormatNotForBatch(Invalid):
    """The six-column file is for devices that are named by a MAC address and flashed with their own secret."""

    code = "format_not_for_batch"
    default_message = "The AliGenie file is for batches of MAC addresses with the per-device secret method."


@dataclass(frozen=True, slots=True, repr=False)
class Layout:
    """`rows` makes the cells of each row from DeviceNames and as many DeviceSecrets, which nobody looks at where `device_secrets` is
    false."""

    columns: tuple[str, ...]
    rows: Callable[[Iterable[str], Iterable[str]], Iterator[tuple[str, ...]]]
    device_secrets: bool = True


def per_device(product_key: str) -> Layout:
    return Layout(
        ("ProductKey", "DeviceName", "DeviceSecret"), lambda names, secrets: zip(repeat(product_key), names, secrets, strict=False)
    )


def per_product(product_key: str, product_secret: str) -> Layout:
    def rows(names: Iterable[str], _secrets: Iterable[str]) -> Iterator[tuple[str, ...]]:
        return zip(repeat(product_key), repeat(product_secret), names, strict=False)

    return Layout(("ProductKey", "ProductSecret", "DeviceName"), rows, device_secrets=False)


def aligenie(product_key: str, *, stride: int) -> Layout:
    """The six columns of the file for AliGenie's Wi-Fi and Bluetooth chips (factory commands ATE_SET_WMAC and ATE_SET_SECRETKEY_MD5).

    The vendor's page names the columns and does not define two of them. Here Md5 is the MD5 of the DeviceSecret's text, 32 lower-case
    hex digits, with which the chip checks what it was sent; the Bluetooth address is the one after the Wi-Fi address where the batch
    reserved two or more for each device (`stride`), and the same address otherwise: an address that was not reserved is never handed out.
    """
    columns = ("Product ID", "Device Secret", "Mac Lower", "Md5", "Mac Upper", "Bluetooth Mac Lower")
    step = 1 if stride > 1 else 0

    def cells(name: str, secret: str) -> tuple[str, ...]:
        checksum = hashlib.md5(secret.encode(), usedforsecurity=False).hexdigest()
        bluetooth = macs.from_number(macs.to_number(name) + step)
        return product_key, secret, name.lower(), checksum, name.upper(), bluetooth.lower()

    return Layout(columns, partial(map, cells))


def fits(form: str, *, method: str, device_name_kind: str) -> bool:
    """Whether a batch can be had in this format."""
    return form != ALIGENIE or (method != "per_product" and device_name_kind == "mac")
