"""Who makes the certificates of a product's devices: a CA of the console's own, or one outside; and what was issued."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from console.shared.fields import SealedField
from products.models.authority import CertificateAuthority
from products.models.data_center import DataCenter
from products.models.product import Product
from products.querysets import IssuedCertificateQuerySet

LONGEST_DAYS = 36_500


class IssuingKind(models.TextChoices):
    OWN = "own", _("Key in the console")
    OUTSIDE = "outside", _("CA outside")


class DeviceKeyKind(models.TextChoices):
    """As console.crypto.certificates.issuing.KeyKind."""

    EC_P256 = "ec-p256", _("EC P-256")
    RSA_2048 = "rsa-2048", _("RSA 2048")


class RevocationReason(models.TextChoices):
    """Those of RFC 5280, section 5.3.1, that fit a device."""

    UNSPECIFIED = "unspecified", _("Not said")
    KEY_COMPROMISE = "key_compromise", _("Its key is known to others")
    AFFILIATION_CHANGED = "affiliation_changed", _("It belongs to somebody else")
    SUPERSEDED = "superseded", _("Replaced by another certificate")
    CESSATION = "cessation_of_operation", _("Not in use any more")


class IssuingCA(models.Model):
    """A product's issuing CA. One of a product is current; a former one stays, since its certificates and its list are still in use.

    `authority`: its certificate, as everybody's: connections are judged by that row. `sealed_key`: PKCS#8 in PEM, empty for a CA outside.
    `answers_registration`: a device that registers is handed a certificate in place of a secret. `device_key_kind`: of keys made here.
    An outside CA is asked at `endpoint_url` (PKCS #10 in, certificate out), where `endpoint_header` carries its sealed secret and
    `endpoint_trust` (PEM) vouches for the server in place of the system's authorities.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="issuing_cas", verbose_name=_("product"))
    authority = models.ForeignKey(CertificateAuthority, on_delete=models.PROTECT, related_name="issuing", verbose_name=_("CA certificate"))
    kind = models.CharField(_("kind"), max_length=8, choices=IssuingKind.choices)
    current = models.BooleanField(_("current"), default=True)
    answers_registration = models.BooleanField(_("registration answers with a certificate"), default=False)
    device_key_kind = models.CharField(_("keys of devices"), max_length=8, choices=DeviceKeyKind.choices, default=DeviceKeyKind.EC_P256)
    certificate_days = models.PositiveIntegerField(_("days that a certificate lasts"), default=3650)
    organization = models.CharField(_("organization"), max_length=64, blank=True)
    unit = models.CharField(_("organizational unit"), max_length=64, blank=True)
    list_url = models.CharField(_("address of the revocation list in certificates"), max_length=200, blank=True)
    sealed_key = SealedField(owner="owner")
    endpoint_url = models.CharField(_("URL of the CSR endpoint"), max_length=300, blank=True)
    endpoint_header = models.CharField(_("secret header"), max_length=64, blank=True)
    endpoint_trust = models.TextField(_("trusted server certificates"), blank=True)
    sealed_endpoint_secret = SealedField(owner="owner")
    created_at = models.DateTimeField(_("added"))
    retired_at = models.DateTimeField(_("retired"), null=True)

    class Meta:
        verbose_name = _("issuing CA")
        verbose_name_plural = _("issuing CAs")
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["product"], condition=Q(current=True), name="issuing_ca_one_current"),
            models.CheckConstraint(
                condition=Q(current=True, retired_at=None) | Q(current=False, retired_at__isnull=False),
                name="issuing_ca_retired_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(certificate_days__gte=1, certificate_days__lte=LONGEST_DAYS), name="issuing_ca_days_in_range"
            ),
            models.CheckConstraint(
                condition=Q(kind="own", endpoint_url="") | (Q(kind="outside") & ~Q(endpoint_url="")), name="issuing_ca_outside_has_url"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product.name}: {self.authority.name}"

    def owner(self) -> bytes:
        return b"issuing ca|%d" % self.pk

    @property
    def is_own(self) -> bool:
        return self.kind == IssuingKind.OWN


class IssuedCertificate(models.Model):
    """A device certificate as it was handed out: what revocation needs, never the private key, not even the certificate.

    `serial`: upper-case hex digits of an even number; the fingerprints are SHA-256 as 64 lower-case hex digits, of the certificate and of
    its SubjectPublicKeyInfo. `issuer_spki`: of the SubjectPublicKeyInfo of whoever signed it, the issuing CA or an intermediate one below a
    CA outside; empty (in older rows) for the issuing CA. No foreign key is checked by the database: one row for each registration, and
    none of what it names is ever deleted.
    """

    issuing_ca = models.ForeignKey(
        IssuingCA, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("issuing CA")
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("product")
    )
    data_center = models.ForeignKey(
        DataCenter,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("data center"),
    )
    device_name = models.CharField(_("DeviceName"), max_length=64)
    serial = models.CharField(_("serial number"), max_length=40)
    sha256 = models.CharField(_("SHA-256 fingerprint"), max_length=64)
    spki_sha256 = models.CharField(_("SHA-256 of the public key"), max_length=64)
    issuer_spki = models.CharField(_("public key of the CA"), max_length=64, blank=True)
    own_request = models.BooleanField(_("the device made its key"), default=False)
    issued_at = models.DateTimeField(_("issued"))
    not_after = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    reason = models.CharField(_("reason"), max_length=24, choices=RevocationReason.choices, blank=True)

    objects = IssuedCertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("issued certificate")
        verbose_name_plural = _("issued certificates")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("revoke_issuedcertificate", _("Can revoke certificates"))]
        constraints = [
            models.UniqueConstraint(fields=["serial", "issuing_ca", "issuer_spki"], name="issued_certificate_serial_unique"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, reason="") | (Q(revoked_at__isnull=False) & ~Q(reason="")),
                name="issued_certificate_revoked_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["device_name", "product", "id"], name="issued_certificate_device"),
            models.Index(fields=["product", "id"], name="issued_certificate_product"),
            models.Index(fields=["sha256"], name="issued_certificate_sha256"),
            models.Index(fields=["not_after"], name="issued_certificate_end"),
        ]

    def __str__(self) -> str:
        return self.serial
