"""DeviceNames by what they are (MAC, IMEI, serial number, free text), serial numbers and nicknames: checked, and stored one way."""

import re

from console.crypto.certificates import fingerprints
from console.errors import Invalid
from console.words import say
from devices.rules import macs
from products.rules.wire_formats import WireFormat

SPOILED_NUMBER = re.compile(r"\d(?:[.,]\d+)?[eE][+-]?\d+")
SPOILED_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_SN = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
_IMEISV = say("An IMEI has 15 digits; 16 digits are an IMEISV, which is no DeviceName.")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
"""A digit -> the sum of the digits of its double."""

NICKNAME_LENGTH = 64


class BadDeviceName(Invalid):
    """A DeviceName that breaks the rule of its product."""

    code = "bad_device_name"
    default_message = "The DeviceName does not follow the product's rule."


class SpoiledNumber(BadDeviceName):
    """A spreadsheet turned the number into 8.6E+14; its last digits are lost."""

    code = "spoiled_number"
    default_message = "A spreadsheet has turned this number into scientific notation and lost digits: format the column as text."


def device_name(kind: str, wire: WireFormat, text: str) -> str:
    """The stored form. Raises BadDeviceName (SpoiledNumber among them)."""
    text = text.strip()
    if not text:
        raise BadDeviceName("The DeviceName is missing.", field="DeviceName")
    if SPOILED_NUMBER.fullmatch(text):
        raise SpoiledNumber(field="DeviceName")
    if kind == "mac":
        text = _mac(text)
    elif kind == "imei":
        check_imei(text)
    elif kind == "sn" and not _SN.fullmatch(text):
        raise BadDeviceName("A serial number has up to 64 letters, digits, - _ . or :", field="DeviceName")
    if not wire.device_name.pattern.fullmatch(text):
        raise BadDeviceName(wire.device_name.words, field="DeviceName")
    return text


def _mac(text: str) -> str:
    try:
        return macs.normalise(text)
    except macs.BadMac as error:
        raise BadDeviceName(error.message, field="DeviceName") from error


def check_imei(text: str) -> None:
    """15 digits, the last of which is the Luhn check digit (3GPP TS 23.003, annex B). Raises BadDeviceName."""
    if not (text.isascii() and text.isdigit()):
        raise BadDeviceName("An IMEI has only digits.", field="DeviceName")
    if len(text) != 15:
        words = say("An IMEI has 15 digits; this one has {digits}.", digits=len(text))
        raise BadDeviceName(_IMEISV if len(text) == 16 else words, field="DeviceName")
    expected = imei_check_digit(text[:14])
    if text[14] != expected:
        words = say("The IMEI's check digit is wrong: it ends in {digit}, {expected} was expected.", digit=text[14], expected=expected)
        raise BadDeviceName(words, field="DeviceName")


def imei_check_digit(first_14: str) -> str:
    digits = first_14.encode()
    total = sum(digits[::2]) + sum(digits[1::2].translate(_DOUBLED)) - len(digits) * ord("0")
    return str(-total % 10)


def serial_number(text: str) -> str:
    """The stored form, empty if there is none. Raises Invalid."""
    text = text.strip()
    if not text:
        return ""
    if SPOILED_NUMBER.fullmatch(text):
        raise SpoiledNumber(field="SN")
    if not _SN.fullmatch(text):
        raise Invalid("An SN has up to 64 letters, digits, - _ . or :", field="SN")
    return text


def nickname(text: str) -> str:
    """Raises Invalid."""
    text = text.strip()
    if len(text) > NICKNAME_LENGTH:
        words = "A device name for people has at most {most} characters; this one has {length:,}."
        raise Invalid(say(words, most=NICKNAME_LENGTH, length=len(text)), field="Nickname")
    if _CONTROL.search(text):
        raise Invalid("A device name for people has no control characters.", field="Nickname")
    return text


def plain_device_name(kind: str, wire: WireFormat) -> re.Pattern[str] | None:
    """The DeviceNames that `device_name` stores as they stand, or fewer; None for IMEIs, whose check digit no expression proves."""
    form = wire.device_name.pattern.pattern
    narrower = {"free": "", "mac": macs.STORED.pattern, "sn": _SN.pattern}.get(kind)
    return None if narrower is None else plain(rf"(?=(?:{narrower})\Z){form}" if narrower else form)


def plain(form: str, *, optional: bool = False) -> re.Pattern[str]:
    """Texts of this form, or none where it is `optional`, that a cell of a file is stored as: not trimmed, guarded or spoiled."""
    spoiled = rf"(?:{SPOILED_NUMBER.pattern}|{SPOILED_DATE.pattern})\Z"
    text = rf"(?!['\s]|{spoiled})(?:{form})(?<!\s)"
    return re.compile(f"(?:{text})?" if optional else text)


PLAIN_SN = plain(_SN.pattern, optional=True)
PLAIN_NICKNAME = plain(rf"[^\x00-\x1f\x7f]{{1,{NICKNAME_LENGTH}}}", optional=True)
PLAIN_FINGERPRINT = plain(fingerprints.FORM.pattern, optional=True)
