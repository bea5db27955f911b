"""A device that registers is handed a certificate, or shows the one that it has: its admission, what is expected of it from then on, and
what was issued, in one transaction (docs/decisions/0012).

What a device is handed, it can connect with: where somebody typed the fingerprint of another certificate, or revoked the device's, its
registration is refused. Only the registration's product and name are decided here; who may register at all is devices/services/admission's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console import audit
from console.errors import Unavailable
from console.shared.actors import SYSTEM
from console.shared.statements import Row
from console.words import say
from devices.models import Device, DeviceCertificate
from devices.rules.admission import Handing
from devices.rules.certificate_refusals import CertificateRefused, DeviceRevoked, OtherCertificate
from devices.rules.pins import Pin, Pins
from devices.rules.presented_facts import Verdict
from devices.services import admission, arrivals, certificate_facts, certificate_pinning
from devices.services.admission import Admission, Beside
from devices.services.arrivals import LostRace
from devices.services.certificate_admission import Judge
from devices.services.certificate_facts import OnFile, slots_of
from products.models import DataCenter, IssuedCertificate
from products.services import issuing
from products.services.issuing import Issued
from products.services.lookup import RegistrationProduct

ATTEMPTS = 8
REVOKED = say("An operator has revoked the certificates of this device: it is handed another one when its pin was reset.")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who registers where, and when. `device_name` in its stored form."""

    data_center: DataCenter
    product: RegistrationProduct
    device_name: str
    at: datetime

    def on_file(self) -> OnFile:
        return certificate_facts.look_up(self.data_center, self.product.id, self.device_name)

    def admit(self, handing: Handing, beside: Beside) -> Admission:
        here, product, name, at = self.data_center, self.product, self.device_name, self.at
        return admission.admit(data_center=here, product=product, device_name=name, at=at, handing=handing, beside=beside)


def foresee(asked: Asked, *, judge: Judge | None = None) -> tuple[str, ...]:
    """The path that `hand_out` would take as things stand, or with `judge` that of `take`; or the Refused that it would raise. Writes
    nothing, locks nothing."""
    here, product, name = asked.data_center, asked.product, asked.device_name
    handing = Handing.OWN_CERTIFICATE if judge else Handing.CERTIFICATE
    path = admission.foresee(data_center=here, product=product, device_name=name, at=asked.at, handing=handing)
    on_file = asked.on_file()
    if judge:
        return _with(path, _judged(judge, on_file, path).path)
    _stands_in_the_way(asked, on_file, path[:-1])
    return path


def hand_out(asked: Asked, issued: Issued, *, beside: Beside = admission.nothing_beside) -> Admission:
    """The device authenticates with a certificate from now on, and `issued` is on file. What was issued to it before and is pinned gives
    way: the next of its certificates that connects is the one. Locks the device. Raises a Refused with its path, and Unavailable."""
    with arrivals.arriving(asked.data_center):
        admitted = asked.admit(Handing.CERTIFICATE, beside)
        on_file = asked.on_file()
        _stands_in_the_way(asked, on_file, admitted.path[:-1])
        if on_file.pins != Pins():
            _empty(asked, on_file)
        only_one = asked.product.new_secret_each_time
        issuing.record(issued, data_center_id=asked.data_center.pk, only_one=only_one, at=asked.at)
        return admitted


def take(asked: Asked, judge: Judge, *, beside: Beside = admission.nothing_beside) -> Admission:
    """The device has shown the certificate that it will connect with: found good, it is pinned. Locks the device. Raises a Refused with
    its path, and Unavailable."""
    for _attempt in range(ATTEMPTS):
        on_file = asked.on_file()
        try:
            with arrivals.arriving(asked.data_center):
                return _take(asked, judge, on_file, beside)
        except LostRace:
            continue
    raise Unavailable("The registration lost too many races against others of the same name.")


def _take(asked: Asked, judge: Judge, on_file: OnFile, beside: Beside) -> Admission:
    """Within `arriving`. The device is locked when its pin is written. Raises LostRace."""
    verdict: list[Verdict] = []

    def judged(admitted: Admission) -> Sequence[Row]:
        verdict[:] = [_judged(judge, on_file, admitted.path)]
        return beside(replace(admitted, path=_with(admitted.path, verdict[0].path)))

    admitted = asked.admit(Handing.OWN_CERTIFICATE, judged)
    device = Device.objects.at(asked.data_center).get(product_id=asked.product.id, device_name=asked.device_name)
    if device.certificate_fingerprint != on_file.fingerprint:
        raise LostRace
    found = verdict[0]
    above = certificate_pinning.above(asked.product.id, found.chain)
    certificate_pinning.store(device, on_file, found, above, data_center=asked.data_center, at=asked.at)
    return replace(admitted, path=_with(admitted.path, found.path))


def _judged(judge: Judge, on_file: OnFile, path: tuple[str, ...]) -> Verdict:
    """`path`: what the admission says, its outcome last. Raises a CertificateRefused with the whole path."""
    try:
        return judge(on_file.pins, on_file.revoked_at)
    except CertificateRefused as refused:
        refused.path = (*path[:-1], *refused.path)
        raise


def _with(path: tuple[str, ...], steps: tuple[str, ...]) -> tuple[str, ...]:
    return (*path[:-1], *steps, path[-1])


def _stands_in_the_way(asked: Asked, on_file: OnFile, path: tuple[str, ...]) -> None:
    """Whether a certificate that is issued now would be refused when the device connects with it. Raises a CertificateRefused."""
    if on_file.revoked_at is not None:
        raise DeviceRevoked(REVOKED).after(path)
    expected = on_file.pins.current
    if expected is not None and not _issued_here(asked, expected):
        words = (
            "Another certificate is expected of this device: the fingerprint {expected} was typed, or came with it. Reset its pin first."
        )
        facts = {"expected": expected.fingerprint}
        raise OtherCertificate(say(words, **facts), facts=facts).after(path)


def _issued_here(asked: Asked, pin: Pin) -> bool:
    issued = IssuedCertificate.objects.of_device(asked.product.id, asked.device_name)
    return bool(pin.sha256) and issued.filter(sha256=pin.sha256).exists()


def _empty(asked: Asked, on_file: OnFile) -> None:
    """The device's pin, while the admission holds the device. What was last accepted stays on file: it can still be revoked."""
    here = Device.objects.at(asked.data_center).filter(product_id=asked.product.id, device_name=asked.device_name)
    device = here.get()
    nothing = slots_of(Pins())._asdict() | {"taken_at": None, "next_set_at": None, "subject": "", "not_after": None}
    DeviceCertificate.objects.using(asked.data_center.database).filter(device_id=device.pk).update(**nothing)
    here.update(certificate_fingerprint="")
    before = {"certificate_fingerprint": on_file.pins.current.fingerprint if on_file.pins.current else ""}
    audit.record("device.reset_pin", device, by=SYSTEM, at=asked.at, before=before, after={"certificate_fingerprint": ""})
