"""The certificate that a device must present (Q6): look, announce the next one, reset the pin, revoke."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from console.errors import NotFound
from console.rest.endpoints import Call, Endpoint, operation
from devices.api import finding
from devices.api.device_certificate_forms import CertificateRow, NextForm, PinForm
from devices.api.device_forms import CutOff
from devices.models import Authentication, Device
from devices.services import device_certificates
from products.api.issuing_forms import RevocationForm

TAG = "Devices"
VIEW, PIN, REVOKE = "devices.view_device", "devices.change_pin", "devices.revoke_device_certificate"
FINGERPRINT = "2A:95:7E:1C:04:B3:5D:11:8E:60:37:2F:9C:44:D0:A8:6B:0E:71:35"


class DeviceCertificate(Endpoint):
    @operation(
        name="get_device_certificate",
        summary="The certificate that a device must present",
        tag=TAG,
        permission=VIEW,
        answer=CertificateRow,
        words="404 for a device that proves itself otherwise.",
    )
    def get(self, call: Call, code: str, number: int) -> dict[str, Any]:
        return _facts(finding.device(call, code, number))


class NextCertificate(Endpoint):
    @operation(
        name="set_next_certificate",
        summary="Announce the next certificate of a device",
        tag=TAG,
        permission=PIN,
        body=NextForm,
        answer=CertificateRow,
        once=True,
        words="The device goes on with the one that it has until it presents this one; then the old one is refused.",
        examples=(OpenApiExample("The next one", request_only=True, value={"fingerprint": FINGERPRINT}),),
    )
    def post(self, call: Call, code: str, number: int) -> dict[str, Any]:
        device_certificates.expect_next(finding.device(call, code, number), **call.data, by=call.by, at=call.at)
        return _facts(finding.device(call, code, number))


class ResetPin(Endpoint):
    @operation(
        name="reset_device_pin",
        summary="Reset what certificate is expected of a device",
        tag=TAG,
        permission=PIN,
        body=PinForm,
        answer=CertificateRow,
        once=True,
        words=(
            "What was expected counts no more, and a revocation of all its certificates is taken back. A certificate that was revoked by "
            "its serial number stays revoked."
        ),
        examples=(OpenApiExample("Repaired", request_only=True, value={"reason": "Board replaced"}),),
    )
    def post(self, call: Call, code: str, number: int) -> dict[str, Any]:
        device_certificates.reset_pin(finding.device(call, code, number), **call.data, by=call.by, at=call.at)
        return _facts(finding.device(call, code, number))


class RevokeCertificates(Endpoint):
    @operation(
        name="revoke_certificates_of_device",
        summary="Revoke a device's certificates and cut it off",
        tag=TAG,
        permission=REVOKE,
        body=RevocationForm,
        answer=CutOff,
        once=True,
        words=(
            "None is accepted from it until its pin is reset. The one that it presented last is revoked by its serial number in every data "
            "center, and so are all that were issued to it here."
        ),
        examples=(OpenApiExample("A stolen device", request_only=True, value={"reason": "key_compromise"}),),
    )
    def post(self, call: Call, code: str, number: int) -> dict[str, int]:
        return {"cut_off": device_certificates.revoke(finding.device(call, code, number), **call.data, by=call.by, at=call.at)}


def _facts(device: Device) -> dict[str, Any]:
    """Raises NotFound."""
    row = device_certificates.of(device)
    if row is None and device.authentication != Authentication.X509:
        raise NotFound("The device has no certificate of its own.")
    pins = device_certificates.pins(device, row)
    current, following = pins.current, pins.next
    seen = row if row is not None and row.taken_at is not None else None
    return {
        "sha256": current.sha256 if current else "",
        "sha1": current.sha1 if current else "",
        "spki_sha256": current.spki_sha256 if current else "",
        "next_sha256": following.sha256 if following else "",
        "next_sha1": following.sha1 if following else "",
        "next_set_at": row.next_set_at if row else None,
        "first_seen_at": seen.taken_at if seen else None,
        "subject": seen.subject if seen else "",
        "serial": seen.path_keys[0].partition(":")[2].upper() if seen and seen.path_keys else "",
        "not_after": seen.not_after if seen else None,
        "certificate_authority": seen.authority_id if seen else None,
        "revoked_at": row.revoked_at if row else None,
    }
