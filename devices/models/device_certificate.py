"""The certificate that a device is expected to present (Q6): pinned by its first connection, or typed beforehand."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from devices.models.device import Device
from devices.querysets import DeviceCertificateQuerySet

MAX_SUBJECT = 300
FINGERPRINTS = ("sha256", "sha1", "next_sha256", "next_sha1")
"""By which people search."""


class DeviceCertificate(models.Model):
    """One row for a device that has presented a certificate, or of which somebody has set the next one or revoked all. A device without a
    row expects what its own `certificate_fingerprint` says, and where that is empty, whatever comes first.

    Two slots, *current* and *next*, as in devices/rules/pins.py: fingerprints in lower-case hex, empty where they are not known: of a
    certificate that was not seen yet the one that was typed. `path_keys`: what would revoke it, for the certificate and each intermediate
    above it: the SHA-256 of the issuer's public key and the serial number in hex, `<spki>:<serial>`; `authority_id`: the CA certificate at
    its end.
    `revoked_at`: an operator has revoked the device's certificates; none is accepted until the pin is reset.
    """

    lives_in_data_center = True

    device = models.OneToOneField(Device, primary_key=True, on_delete=models.CASCADE, related_name="certificate", verbose_name=_("device"))
    sha256 = models.CharField(_("SHA-256 fingerprint"), max_length=64, blank=True)
    spki_sha256 = models.CharField(_("SHA-256 of the public key"), max_length=64, blank=True)
    sha1 = models.CharField(_("SHA-1 fingerprint"), max_length=40, blank=True)
    taken_at = models.DateTimeField(_("first seen"), null=True, blank=True)
    next_sha256 = models.CharField(_("next SHA-256 fingerprint"), max_length=64, blank=True)
    next_sha1 = models.CharField(_("next SHA-1 fingerprint"), max_length=40, blank=True)
    next_set_at = models.DateTimeField(_("next one set"), null=True, blank=True)
    subject = models.CharField(_("subject"), max_length=MAX_SUBJECT, blank=True)
    not_after = models.DateTimeField(_("valid until"), null=True, blank=True)
    authority_id = models.BigIntegerField(_("CA certificate"), null=True, blank=True)
    path_keys = models.JSONField(default=list, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = DeviceCertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("device certificate")
        verbose_name_plural = _("device certificates")
        permissions = [
            ("change_pin", _("Can set and reset the certificate that a device must present")),
            ("revoke_device_certificate", _("Can revoke a device's certificates")),
        ]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(next_sha256="", next_sha1="") | ~Q(sha256="", sha1=""), name="device_certificate_next_after_current"
            ),
        ]
        indexes = [
            *(models.Index(fields=[name], condition=~Q(**{name: ""}), name=f"device_certificate_{name}") for name in FINGERPRINTS),
            models.Index(fields=["not_after"], condition=Q(revoked_at=None), name="device_certificate_end"),
            models.Index(fields=["device"], condition=Q(revoked_at__isnull=False), name="device_certificate_revoked"),
            models.Index(fields=["device"], condition=Q(next_set_at__isnull=False), name="device_certificate_next"),
        ]

    def __str__(self) -> str:
        return self.sha256 or self.sha1
