"""A presented certificate that was found good becomes what is expected of its device, in the transaction of its connection."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from django.db import IntegrityError

from console import audit
from console.crypto.certificates.certificate import Certificate
from console.shared.actors import SYSTEM
from devices.models import Device, DeviceCertificate
from devices.models.device_certificate import MAX_SUBJECT
from devices.rules.pins import Match
from devices.rules.presented_facts import Verdict
from devices.services.arrivals import LostRace
from devices.services.certificate_facts import OnFile, Path, slots_of
from products.models import DataCenter
from products.services import authorities, issuing, revocation

ACTIONS = {
    Match.FIRST: "device.pin_certificate",
    Match.NEXT: "device.next_certificate_came",
    Match.SAME_KEY: "device.certificate_renewed",
}
"""What of a pin's changes is audited: a certificate that somebody typed and that came is no change."""


def above(product_id: int, chain: Sequence[Certificate]) -> Path:
    """What would revoke a certificate on this path, which ends at a CA certificate of the product."""
    anchors = authorities.anchors(product_id)
    top = chain[-1]
    authority_id = next((one.authority_id for one in anchors if one.certificate.sha256 == top.sha256), None)
    pairs = [(issuer, issued) for issued, issuer in pairwise(chain)]
    if not top.is_self_issued:
        pairs += [(one.certificate, top) for one in anchors if one.certificate.subject_bytes == top.issuer_bytes]
    return Path(authority_id, tuple(f"{issuer.spki_sha256}:{revocation.serial_text(issued.serial_number)}" for issuer, issued in pairs))


def store(device: Device, on_file: OnFile, verdict: Verdict, path: Path, *, data_center: DataCenter, at: datetime) -> None:
    """Within the caller's transaction, which holds the device. Raises LostRace where the pin is no longer what was judged."""
    leaf, compared = verdict.chain[0], verdict.compared
    fresh = on_file.slots is None or (compared.changed and not _was_seen(on_file, compared.match))
    facts: dict[str, object] = {"authority_id": path.authority_id, "path_keys": list(path.keys)}
    facts |= slots_of(compared.pins)._asdict()
    facts |= {"subject": leaf.subject[:MAX_SUBJECT], "not_after": leaf.not_after} | ({"taken_at": at} if fresh else {})
    facts |= {"next_set_at": None} if compared.match == Match.NEXT else {}
    _write(device, on_file, facts, data_center)
    if compared.match in ACTIONS:
        _note_change(device, on_file, verdict, data_center, at)
    issuing.settle(product_id=device.product_id, device_name=device.device_name, data_center_id=data_center.pk, sha256=leaf.sha256, at=at)
    if path.authority_id is not None:
        authorities.note_use(path.authority_id, at=at)


def _was_seen(on_file: OnFile, match: Match) -> bool:
    """Whether it is the current one that came before: then only what was not kept of it in former times is filled in."""
    return match is Match.CURRENT and on_file.slots is not None and bool(on_file.slots.spki_sha256)


def _write(device: Device, on_file: OnFile, facts: dict[str, object], data_center: DataCenter) -> None:
    rows = DeviceCertificate.objects.using(data_center.database)
    if on_file.slots is not None:
        if not rows.filter(device_id=device.pk, revoked_at=None, **on_file.slots._asdict()).update(**facts):
            raise LostRace
        return
    try:
        rows.bulk_create([DeviceCertificate(device_id=device.pk, **facts)])
    except IntegrityError as error:
        raise LostRace from error


def _note_change(device: Device, on_file: OnFile, verdict: Verdict, data_center: DataCenter, at: datetime) -> None:
    """The device says what is expected of it, in its list too; a fingerprint that was typed stays as it was typed."""
    leaf, before = verdict.chain[0], on_file.pins
    following = before.next if verdict.compared.match == Match.NEXT else None
    fingerprint = following.fingerprint if following else leaf.sha256
    Device.objects.at(data_center).filter(pk=device.pk).update(certificate_fingerprint=fingerprint)
    was = {"certificate_fingerprint": before.current.fingerprint} if before.current else {}
    now = {
        "certificate_fingerprint": leaf.sha256,
        "subject": leaf.subject[:MAX_SUBJECT],
        "serial_number": leaf.serial_hex,
        "data_center": data_center.name,
    }
    audit.record(ACTIONS[verdict.compared.match], device, by=SYSTEM, at=at, before=was, after=now)
