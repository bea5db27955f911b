"""What may be produced and how: from a product's plain facts and an operator's wish to a way of naming devices, or a refusal."""

from dataclasses import dataclass
from enum import Enum

from console.errors import Conflict, Invalid
from console.words import say

PER_PRODUCT, AUTOMATIC, UPLOAD = "per_product", "automatic", "upload"
LARGEST_BATCH = 500_000


class NotPublished(Conflict):
    """Only published products are produced (G1)."""

    code = "not_published"
    default_message = "The product is in development: publish it first."


class MethodOff(Conflict):
    """The per-product secret method has to be enabled first (G3)."""

    code = "per_product_secret_off"
    default_message = "The per-product secret flashing method is not enabled for this product."


class UploadOnly(Invalid):
    """The per-product secret method wants names that are known beforehand (G4)."""

    code = "upload_only"
    default_message = "For the per-product secret method, upload the DeviceNames: they cannot be generated."


class NamesCannotBeMade(Invalid):
    """IMEIs are allotted to the maker of the radio module."""

    code = "names_cannot_be_made"
    default_message = "IMEIs are allotted by the GSMA and cannot be generated: upload them."


class Naming(Enum):
    """Where the DeviceNames of a batch come from."""

    POOL = "addresses of a MAC pool"
    RANDOM = "random names in the form of the wire protocol"
    UPLOAD = "an uploaded workbook"


@dataclass(frozen=True, slots=True)
class Line:
    """What the product says about its production."""

    published: bool
    per_product_secret: bool
    device_name_kind: str


def naming(kind: str, source: str) -> Naming:
    """Automatic MAC addresses come from a pool (G7). Raises NamesCannotBeMade."""
    if source == UPLOAD:
        return Naming.UPLOAD
    if kind == "imei":
        raise NamesCannotBeMade(field="source")
    return Naming.POOL if kind == "mac" else Naming.RANDOM


def check(line: Line, *, method: str, source: str, quantity: int) -> Naming:
    """Raises NotPublished, MethodOff, UploadOnly, NamesCannotBeMade or Invalid (quantity)."""
    if not line.published:
        raise NotPublished
    if method == PER_PRODUCT and not line.per_product_secret:
        raise MethodOff(field="flashing_method")
    if method == PER_PRODUCT and source != UPLOAD:
        raise UploadOnly(field="source")
    found = naming(line.device_name_kind, source)
    if not 1 <= quantity <= LARGEST_BATCH:
        raise Invalid(say("A batch has 1 to {most:,} devices.", most=LARGEST_BATCH), field="quantity")
    return found


def authentication(method: str, *, allows_static: bool) -> str:
    """How the devices of a batch prove themselves: see docs/divergences.md, "Mass production".

    A device of a per-device batch leaves the factory with its DeviceSecret and has no reason to register: it is static where the
    product can hold static devices (Q5), so that nobody who knows the ProductSecret obtains its DeviceSecret. Everything else is dynamic.
    """
    return "static" if method != PER_PRODUCT and allows_static else "dynamic"
