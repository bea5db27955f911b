"""The head of the chain of receipts, and the key that signs it. Whoever takes the head has it alone until their transaction ends."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from console import audit
from console.crypto import signing
from console.errors import Invalid
from console.shared import keyring
from console.shared.actors import SYSTEM, Actor
from devices.models import ReceiptChain, ReceiptKey


@dataclass(frozen=True, slots=True)
class Head:
    """The locked head, its key, and the moment for whatever is done now: whole seconds, never before the last one."""

    chain: ReceiptChain
    key: ReceiptKey
    now: datetime


def take(*, at: datetime) -> Head:
    """Begins the chain and makes its first key where there is none. Locks the head: a transaction of the caller's must be open."""
    chain = ReceiptChain.objects.select_for_update().filter(pk=ReceiptChain.ONLY).first()
    if chain is None:
        begun = ReceiptChain(pk=ReceiptChain.ONLY, installation=secrets.token_hex(16))
        ReceiptChain.objects.bulk_create([begun], ignore_conflicts=True)  # Two may begin it at once: one row stays, and is locked next.
        chain = ReceiptChain.objects.select_for_update().get(pk=ReceiptChain.ONLY)
    now = max(at.replace(microsecond=0), chain.issued_at or at.replace(microsecond=0))
    key = ReceiptKey.objects.filter(pk=chain.key_id or 0).first()
    if key is None:
        key = _make_key(now, by=SYSTEM)
        _sign_with(chain, key, now)
    return Head(chain, key, now)


def sign(key: ReceiptKey, payload: bytes) -> bytes:
    """64 bytes. Raises SealBroken or KeyMissing."""
    return signing.sign(keyring.current().open(key.sealed_private, key.private_owner()), payload)


@transaction.atomic
def make_first_key(*, at: datetime) -> ReceiptKey:
    """The key that signs, made now if there is none."""
    return take(at=at).key


@transaction.atomic
def rotate(*, reason: str, by: Actor, at: datetime) -> ReceiptKey:
    """A new key signs from now on; the one before stays in the list for older receipts. Locks the head. Raises Invalid."""
    if not reason.strip():
        raise Invalid("Say why the key is replaced.", field="reason")
    head = take(at=at)
    ReceiptKey.objects.filter(pk=head.key.pk).update(retired_at=head.now)
    key = _make_key(head.now, by=by, before=head.key.key_id, reason=reason.strip())
    _sign_with(head.chain, key, head.now)
    return key


def installation() -> str:
    """32 hex digits, or nothing before the chain has begun."""
    return ReceiptChain.objects.values_list("installation", flat=True).first() or ""


def _make_key(at: datetime, *, by: Actor, before: str = "", reason: str = "") -> ReceiptKey:
    private = signing.new_private()
    public = signing.public_of(private)
    key = ReceiptKey(key_id=signing.key_id(public), public=public.hex(), made_at=at)
    key.sealed_private = keyring.current().seal(private, key.private_owner())
    key.save(force_insert=True)
    audit.record("receipt_key.make", key, by=by, at=at, before={"key": before} if before else {}, after={"key": key.key_id}, reason=reason)
    return key


def _sign_with(chain: ReceiptChain, key: ReceiptKey, at: datetime) -> None:
    """`issued_at` moves too, so that a clock that is behind cannot date the next receipt before its key."""
    ReceiptChain.objects.filter(pk=chain.pk).update(key=key, issued_at=at)
    chain.key_id, chain.issued_at = key.pk, at
