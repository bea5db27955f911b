"""CA certificates: whose signature on a device's certificate counts, for which products, and how a device's name is read from it."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from products.models.product import Product
from products.querysets import CertificateAuthorityQuerySet
from products.rules.authorities import CODE_LIFETIME

LONGEST_CRL_AGE = 8760
"""Hours: a year."""


class AuthorityState(models.TextChoices):
    """What people and the proof have made of it. That its certificate has ended follows from the date and is stored nowhere."""

    PENDING = "pending", _("Pending")
    VERIFIED = "verified", _("Verified")
    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", pgettext_lazy("CA certificate", "Inactive")
    REVOKED = "revoked", _("Revoked")


class IdentitySource(models.TextChoices):
    """Where in a device's certificate its DeviceName stands; the words of devices/rules/presented.py."""

    COMMON_NAME = "common_name", _("Common name (CN) of the subject")
    ALTERNATIVE_NAME = "alternative_name", _("Subject alternative name (SAN)")
    SERIAL_NUMBER = "serial_number", _("Serial number in the subject")


class CertificateAuthority(models.Model):
    """A CA certificate, as DER, with the facts of it that lists need. Only an active one makes a device's certificate good.

    `proof_code` is stored as it is: it opens nothing and is no secret. Whoever reads it can do nothing without the CA's private key, and
    with that key needs no code. It is shown until it is used; then the verification certificate, which carries it, is kept as evidence.
    """

    name = models.CharField(_("name"), max_length=64)
    certificate = models.BinaryField(_("certificate"))
    subject = models.TextField(_("subject"))
    issuer = models.TextField(_("issuer"))
    serial_number = models.CharField(_("serial number"), max_length=64)
    sha256 = models.CharField(_("SHA-256 fingerprint"), max_length=64)
    sha1 = models.CharField(_("SHA-1 fingerprint"), max_length=40)
    spki_sha256 = models.CharField(_("SHA-256 of the public key"), max_length=64)
    subject_key_id = models.CharField(_("subject key identifier"), max_length=128)
    key_kind = models.CharField(_("key"), max_length=64)
    not_before = models.DateTimeField(_("valid from"))
    not_after = models.DateTimeField(_("valid until"))

    state = models.CharField(_("state"), max_length=8, choices=AuthorityState.choices, default=AuthorityState.PENDING)
    proof_code = models.CharField(_("proof code"), max_length=64, blank=True)
    proof_code_made_at = models.DateTimeField(_("proof code made"), null=True)
    proof_certificate = models.BinaryField(_("verification certificate"), null=True)
    without_proof_reason = models.CharField(_("reason for accepting it without proof"), max_length=500, blank=True)
    verified_at = models.DateTimeField(_("verified"), null=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("verified by")
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    first_used_at = models.DateTimeField(_("first used"), null=True)
    uploaded_at = models.DateTimeField(_("uploaded"))
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("uploaded by")
    )
    products = models.ManyToManyField(Product, through="AuthorityProduct", related_name="certificate_authorities")

    objects = CertificateAuthorityQuerySet.as_manager()

    class Meta:
        verbose_name = _("CA certificate")
        verbose_name_plural = _("CA certificates")
        ordering = ["-id"]
        permissions = [("accept_without_proof", _("Can accept CA certificates without proof"))]
        constraints = [
            models.UniqueConstraint(fields=["sha256"], name="authority_certificate_unique"),
            models.UniqueConstraint(fields=["name"], name="authority_name_unique"),
            models.CheckConstraint(condition=Q(not_before__lt=F("not_after")), name="authority_begins_before_it_ends"),
            models.CheckConstraint(
                condition=Q(proof_code="", proof_code_made_at=None)
                | (~Q(proof_code="") & Q(state="pending", proof_code_made_at__isnull=False)),
                name="authority_code_while_pending",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "revoked"])
                | Q(verified_at__isnull=False, proof_certificate__isnull=False)
                | (Q(verified_at__isnull=False) & ~Q(without_proof_reason="")),
                name="authority_verified_has_evidence",
            ),
            models.CheckConstraint(
                condition=Q(state="revoked", revoked_at__isnull=False) | (~Q(state="revoked") & Q(revoked_at=None)),
                name="authority_revoked_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_without_proof(self) -> bool:
        """Whether an administrator vouched for it, and no signature of its key."""
        return bool(self.without_proof_reason)

    def has_ended(self, at: datetime) -> bool:
        return self.not_after < at

    def days_left(self, at: datetime) -> int:
        """Whole days until it ends; negative once it has."""
        return (self.not_after - at).days

    @property
    def proof_code_ends_at(self) -> datetime | None:
        return self.proof_code_made_at + CODE_LIFETIME if self.proof_code_made_at else None

    def code_is_live(self, at: datetime) -> bool:
        return self.proof_code_ends_at is not None and at < self.proof_code_ends_at


class AuthorityProduct(models.Model):
    """A product that a CA certificate serves: certificates of its devices may come from there."""

    authority = models.ForeignKey(CertificateAuthority, on_delete=models.CASCADE, related_name="bindings", verbose_name=_("CA certificate"))
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="authority_bindings", verbose_name=_("product"))

    class Meta:
        verbose_name = _("product of a CA certificate")
        verbose_name_plural = _("products of CA certificates")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["authority", "product"], name="authority_product_once")]

    def __str__(self) -> str:
        return f"{self.authority_id}: {self.product_id}"


class CertificatePolicy(models.Model):
    """How a product reads its devices' certificates. A product without a row has what the fields' defaults say.

    `same_key`: a certificate that was issued anew for the key that is pinned passes. `crl_max_age_hours`: from when on a revocation list
    is too old, whatever it says of itself; empty: its own date of the next one decides. `old_list_refuses`: devices are refused while the
    list is too old, or was never obtained; off, it is only noted: a list server that is away must not lock a fleet out.
    """

    product = models.OneToOneField(
        Product, primary_key=True, on_delete=models.CASCADE, related_name="certificate_policy", verbose_name=_("product")
    )
    identity = models.CharField(
        _("DeviceName in the certificate"), max_length=16, choices=IdentitySource.choices, default=IdentitySource.COMMON_NAME
    )
    same_key = models.BooleanField(_("a certificate issued anew for the same key passes"), default=False)
    crl_max_age_hours = models.PositiveIntegerField(_("maximal age of a revocation list in hours"), null=True, blank=True)
    old_list_refuses = models.BooleanField(_("a revocation list that is too old refuses"), default=False)

    class Meta:
        verbose_name = _("certificate policy of a product")
        verbose_name_plural = _("certificate policies of products")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(crl_max_age_hours=None) | Q(crl_max_age_hours__gte=1, crl_max_age_hours__lte=LONGEST_CRL_AGE),
                name="certificate_policy_crl_age_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.identity}"
