"""The properties of MQTT 5's CONNECT, checked for their form and left behind: nothing in them bears on who the device is.

Source: MQTT 5.0 (OASIS), sections 2.2.2, 3.1.2.11 and 3.1.3.2.
"""

from collections.abc import Callable, Mapping
from typing import Final

from console.words import say
from registration.mqtt.wire import BadPacket, Reader

Form = Callable[[Reader], object]


def _four_bytes(reader: Reader) -> object:
    return reader.take(4)


def _two_texts(reader: Reader) -> object:
    return reader.text(), reader.text()


USER_PROPERTY: Final = 0x26
OF_CONNECT: Final[Mapping[int, Form]] = {
    0x11: _four_bytes,  # session expiry interval
    0x15: Reader.text,  # authentication method
    0x16: Reader.binary,  # authentication data
    0x17: Reader.byte,  # request problem information
    0x19: Reader.byte,  # request response information
    0x21: Reader.number,  # receive maximum
    0x22: Reader.number,  # topic alias maximum
    0x27: _four_bytes,  # maximum packet size
    USER_PROPERTY: _two_texts,
}
OF_WILL: Final[Mapping[int, Form]] = {
    0x01: Reader.byte,  # payload format indicator
    0x02: _four_bytes,  # message expiry interval
    0x03: Reader.text,  # content type
    0x08: Reader.text,  # response topic
    0x09: Reader.binary,  # correlation data
    0x18: _four_bytes,  # will delay interval
    USER_PROPERTY: _two_texts,
}


def skip_properties(packet: Reader, allowed: Mapping[int, Form]) -> None:
    """Reads past a list of properties. Raises BadPacket for one that is not allowed here, or given twice."""
    properties, seen = packet.part(), set[int]()
    while properties.left:
        identifier = properties.length()
        if identifier not in allowed or (identifier in seen and identifier != USER_PROPERTY):
            raise BadPacket(say("The property {identifier} is not allowed here, or given twice.", identifier=identifier))
        seen.add(identifier)
        allowed[identifier](properties)
