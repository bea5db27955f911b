"""The vocabulary of products."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

if TYPE_CHECKING:
    from products.models import CertificateAuthority, DataCenter, IssuedCertificate, Product, ProductSecret, RevokedSerial  # noqa: F401


class ProductQuerySet(models.QuerySet["Product"]):
    def published(self) -> Self:
        return self.filter(status="published")


class ProductSecretQuerySet(models.QuerySet["ProductSecret"]):
    def live(self, at: datetime) -> Self:
        """The newest first."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at)).order_by("-id")


class DataCenterQuerySet(models.QuerySet["DataCenter"]):
    def home(self) -> "DataCenter":
        return self.get(is_home=True)


class CertificateAuthorityQuerySet(models.QuerySet["CertificateAuthority"]):
    def active(self) -> Self:
        """Switched on; one whose time is over is among them: whoever looks at a date says which."""
        return self.filter(state="active")

    def serving(self, product_id: int) -> Self:
        return self.filter(products=product_id)

    def with_fingerprint(self, digits: str) -> Self:
        """By its beginning, SHA-1 or SHA-256, in lower-case hex digits."""
        return self.filter(Q(sha256__startswith=digits) | Q(sha1__startswith=digits))


class IssuedCertificateQuerySet(models.QuerySet["IssuedCertificate"]):
    def of_device(self, product_id: int, device_name: str) -> Self:
        return self.filter(product_id=product_id, device_name=device_name)

    def good(self) -> Self:
        """Not revoked; one whose time is over is among them."""
        return self.filter(revoked_at=None)


class RevokedSerialQuerySet(models.QuerySet["RevokedSerial"]):
    def to_publish(self, authority_id: int, still_named: datetime) -> Self:
        """What a list of ours names: what the CA itself has signed, but for what another's list says or ended before `still_named`."""
        ours = self.filter(authority_id=authority_id, issuer_spki=F("authority__spki_sha256")).exclude(source="list")
        return ours.filter(Q(not_after=None) | Q(not_after__gt=still_named)).order_by("id")
