"""The formats of each wire protocol: keys, secrets and DeviceNames, as the vendors' documents and SDKs have them.

Sources: Alibaba device identity pages (ProductKey 11, ProductSecret 16, DeviceName 4-32, DeviceSecret 32; what may be given is bounded
by the SDK's buffers);
Tencent product and device pages (ProductId exactly 10, ProductSecret 24, DeviceName 1-48, psk = base64 of 16 bytes).
"""

import os
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass

from console.crypto import codes
from console.errors import Invalid
from console.words import say

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Form:
    """What a text must look like: `pattern` is matched whole, `words` says it to a person, in a whole sentence."""

    pattern: re.Pattern[str]
    words: str

    def check(self, text: str, field: str) -> str:
        """Raises Invalid with the field's name."""
        if not self.pattern.fullmatch(text):
            raise Invalid(self.words, field=field)
        return text


@dataclass(frozen=True, slots=True)
class WireFormat:
    """One vendor's formats. `given_*` bound what a fleet from elsewhere may bring; generated values are of the vendor's own form."""

    name: str
    given_product_key: Form
    given_product_secret: Form
    device_name: Form
    given_device_secret: Form
    make_product_key: Callable[[RandomBytes], str]
    make_product_secret: Callable[[RandomBytes], str]
    make_device_secrets: Callable[[int, RandomBytes], list[str]]
    make_device_names: Callable[[int, RandomBytes, codes.Part], list[str]]

    @property
    def whole_device_secret(self) -> Form | None:
        """The form that is all `check_device_secret` asks for; None where it asks for more."""
        return None if self.name == "tencent" else self.given_device_secret

    def check_device_secret(self, text: str) -> str:
        """Raises Invalid."""
        self.given_device_secret.check(text, "DeviceSecret")
        if self.name == "tencent":
            _check_psk(text)
        return text


def _check_psk(text: str) -> None:
    """The vendor's clients copy a psk into 64 bytes and decode it as the key of their HMAC."""
    try:
        b64decode(text, validate=True)
    except NotBase64 as error:
        raise Invalid("A DeviceSecret of a Tencent device is base64.", field="DeviceSecret") from error


def _alibaba(name: str) -> WireFormat:
    return WireFormat(
        name=name,
        given_product_key=Form(re.compile(r"[A-Za-z0-9]{4,20}"), say("A ProductKey has 4 to 20 letters or digits.")),
        given_product_secret=Form(re.compile(r"[A-Za-z0-9]{8,64}"), say("A ProductSecret has 8 to 64 letters or digits.")),
        device_name=Form(
            re.compile(r"[A-Za-z0-9_@.:\-]{4,32}"), say("A DeviceName of this wire protocol has 4 to 32 letters, digits, - _ @ . or :")
        ),
        given_device_secret=Form(re.compile(r"[A-Za-z0-9_@.:\-]{8,63}"), say("A DeviceSecret has 8 to 63 letters, digits, - _ @ . or :")),
        make_product_key=lambda random: "a1" + codes.text(9, codes.BASE62, random),
        make_product_secret=lambda random: codes.text(16, codes.BASE62, random),
        make_device_secrets=lambda count, random: codes.texts(count, 32, codes.HEX, random),
        make_device_names=lambda count, random, part: codes.ordered_texts(count, 20, codes.BASE62, part, random),
    )


TENCENT = WireFormat(
    name="tencent",
    given_product_key=Form(re.compile(r"[A-Z0-9]{10}"), say("A ProductKey of Tencent has exactly 10 upper-case letters or digits.")),
    given_product_secret=Form(
        re.compile(r"[A-Za-z0-9]{16,32}"), say("A ProductSecret of Tencent has 16 to 32 letters or digits (the vendor's have 24).")
    ),
    device_name=Form(re.compile(r"[A-Za-z0-9:_\-]{1,48}"), say("A DeviceName of this wire protocol has 1 to 48 letters, digits, : _ or -")),
    given_device_secret=Form(
        re.compile(r"[A-Za-z0-9+/]{16,62}={0,2}"),
        say("A DeviceSecret of a Tencent device is base64, at most 64 characters (the vendor's have 24)."),
    ),
    make_product_key=lambda random: codes.text(10, codes.BASE36_UPPER, random),
    make_product_secret=lambda random: codes.text(24, codes.BASE62, random),
    make_device_secrets=lambda count, random: codes.base64_keys(count, 16, random),
    make_device_names=lambda count, random, part: codes.ordered_texts(count, 18, codes.BASE62, part, random),
)

FORMATS = {form.name: form for form in (_alibaba("native"), _alibaba("alibaba"), TENCENT)}


def wire_format(name: str) -> WireFormat:
    return FORMATS[name]


def system_random(size: int) -> bytes:
    """The default source of randomness."""
    return os.urandom(size)
