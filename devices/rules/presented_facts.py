"""What is known of a presented certificate's surroundings, and what the judgement of it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol as Interface

from console.crypto.certificates.certificate import Certificate
from devices.rules.pins import Compared, Pins

RevocationKey = tuple[str, int]
"""SHA-256 of the issuer's SubjectPublicKeyInfo in lower-case hex, and the serial number."""


class Authority(Interface):
    """A CA certificate of the product. `active`: proven, and switched on. `blocked`: switched off or revoked, as against not proven yet:
    nothing passes through it, not even on the way to another one."""

    @property
    def certificate(self) -> Certificate: ...
    @property
    def active(self) -> bool: ...
    @property
    def blocked(self) -> bool: ...


class Revoked(Interface):
    """`on_list`: by the CA's revocation list; else by an operator here."""

    @property
    def at(self) -> datetime: ...
    @property
    def on_list(self) -> bool: ...


class RevocationList(Interface):
    """What is on file of one CA's list. `this_update` None: it was never obtained."""

    @property
    def this_update(self) -> datetime | None: ...
    @property
    def next_update(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """`authorities`: all of the product, the inactive ones too. `named`: what `name_in` found, in its stored form; `connecting_as`: the
    DeviceName that the client connects under, in its stored form. `device_revoked_at`: when an operator revoked the device's certificates.

    `revoked`: of the pairs that `revocation_keys` asks for. `lists`: by the issuer's spki_sha256, of those CAs that have one.
    `max_list_age`: how old a list may be, None where its own date of the next one decides; `old_list_refuses`: else a list that is too
    old, or was never obtained, is only noted."""

    at: datetime
    authorities: Sequence[Authority]
    named: str
    connecting_as: str
    pins: Pins
    same_key: bool = False
    device_revoked_at: datetime | None = None
    revoked: Mapping[RevocationKey, Revoked] = field(default_factory=dict)
    lists: Mapping[str, RevocationList] = field(default_factory=dict)
    max_list_age: timedelta | None = None
    old_list_refuses: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """`chain`: the leaf first, the CA certificate of the product last. `compared`: how the pin matched, and what is to be stored.
    `path`: what was checked, in whole sentences."""

    device_name: str
    chain: tuple[Certificate, ...]
    compared: Compared
    path: tuple[str, ...]
