"""What is revoked: numbers of certificates by the CA that issued them, the lists that say so, and the lists that we publish."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from products.models.authority import CertificateAuthority
from products.querysets import RevokedSerialQuerySet


class RevocationSource(models.TextChoices):
    LIST = "list", _("The CA's revocation list")
    HAND = "hand", _("By hand")
    ISSUED = "issued", _("A certificate issued here")


class RevokedSerial(models.Model):
    """`issuer_spki`: SHA-256 of the issuing CA's SubjectPublicKeyInfo, 64 lower-case hex digits; `serial`: upper-case hex digits of an even
    number. The two are what a connection asks for; of two CA certificates with one key (a CA that was renewed) each has the entries of its
    own list. `not_after`: when the certificate ends anyway, where it is known: then a list of
    ours names it no more."""

    authority = models.ForeignKey(
        CertificateAuthority, on_delete=models.CASCADE, db_index=False, related_name="revoked_serials", verbose_name=_("CA certificate")
    )
    issuer_spki = models.CharField(_("public key of the CA"), max_length=64)
    serial = models.CharField(_("serial number"), max_length=40)
    source = models.CharField(_("source"), max_length=8, choices=RevocationSource.choices)
    revoked_at = models.DateTimeField(_("revoked"))
    reason = models.CharField(_("reason"), max_length=32)
    not_after = models.DateTimeField(_("valid until"), null=True)

    objects = RevokedSerialQuerySet.as_manager()

    class Meta:
        verbose_name = _("revoked serial number")
        verbose_name_plural = _("revoked serial numbers")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer_spki", "serial", "source", "authority"], name="revoked_serial_once"),
            models.UniqueConstraint(
                fields=["issuer_spki", "serial", "source"], condition=~Q(source="list"), name="revoked_serial_once_by_us"
            ),
        ]
        indexes = [models.Index(fields=["authority", "source", "id"], name="revoked_serial_authority")]

    def __str__(self) -> str:
        return self.serial


class RevocationList(models.Model):
    """The list of one CA, as it was last taken. `number`: the CRL number in decimal digits, empty where it has none: it never goes back.

    `url`: fetched every `interval_minutes`, empty for a list that is uploaded. `next_fetch_at` is moved ahead before a fetch begins: who
    moved it, fetches. `error`: why the last attempt failed, a whole sentence. What becomes of devices when it is too old, each product's
    certificate policy says.
    """

    authority = models.OneToOneField(
        CertificateAuthority, primary_key=True, on_delete=models.CASCADE, related_name="revocation_list", verbose_name=_("CA certificate")
    )
    url = models.CharField(_("URL"), max_length=300, blank=True)
    interval_minutes = models.PositiveIntegerField(_("fetched every so many minutes"), default=60)
    number = models.CharField(_("number of the list"), max_length=49, blank=True)
    this_update = models.DateTimeField(_("made"), null=True)
    next_update = models.DateTimeField(_("next one"), null=True)
    entries = models.PositiveIntegerField(_("entries"), default=0)
    sha256 = models.CharField(_("SHA-256 of the list"), max_length=64, blank=True)
    etag = models.CharField(max_length=200, blank=True)
    taken_at = models.DateTimeField(_("taken"), null=True)
    checked_at = models.DateTimeField(_("last looked for"), null=True)
    error = models.TextField(_("error"), blank=True)
    next_fetch_at = models.DateTimeField(_("next fetch"), null=True)

    class Meta:
        verbose_name = _("revocation list")
        verbose_name_plural = _("revocation lists")
        ordering = ["authority"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(interval_minutes__gte=5, interval_minutes__lte=44_640), name="revocation_list_interval_in_range"
            ),
            models.CheckConstraint(
                condition=Q(url="", next_fetch_at=None) | (~Q(url="") & Q(next_fetch_at__isnull=False)),
                name="revocation_list_fetch_has_url",
            ),
        ]
        indexes = [models.Index(fields=["next_fetch_at"], condition=Q(next_fetch_at__isnull=False), name="revocation_list_due")]

    def __str__(self) -> str:
        return f"{self.authority_id}"


class RevocationNews(models.Model):
    """Something of a CA was revoked: the connections that are open are to be looked through. Written in the transaction that revokes, which
    so holds the row until it ends. `rounds`: how many times they still are, since a connection that was let in a moment before the
    revocation may be recorded a moment after it."""

    authority = models.OneToOneField(
        CertificateAuthority, primary_key=True, on_delete=models.CASCADE, related_name="revocation_news", verbose_name=_("CA certificate")
    )
    rounds = models.PositiveSmallIntegerField(_("rounds left"))

    class Meta:
        verbose_name = _("news of a revocation")
        verbose_name_plural = _("news of revocations")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.authority_id}: {self.rounds}"


class PublishedList(models.Model):
    """The list that we publish for an issuing CA of the console's own, as DER. `outdated`: something was revoked since it was made."""

    authority = models.OneToOneField(
        CertificateAuthority, primary_key=True, on_delete=models.CASCADE, related_name="published_list", verbose_name=_("CA certificate")
    )
    number = models.PositiveBigIntegerField(_("number of the list"), default=0)
    der = models.BinaryField(_("list"), default=b"")
    this_update = models.DateTimeField(_("made"), null=True)
    next_update = models.DateTimeField(_("next one"), null=True)
    entries = models.PositiveIntegerField(_("entries"), default=0)
    outdated = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("published revocation list")
        verbose_name_plural = _("published revocation lists")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.authority_id}"
