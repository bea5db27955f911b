"""The revocation lists that we publish for the console's own issuing CAs: made when they are asked for and something has changed.

Whoever checks certificates elsewhere (a broker, a proxy) reads them at /crl/<number>.crl. A stranger who asks again and again makes us sign
once for each revocation and once a day.
"""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from django.db import transaction

from console.crypto.certificates import revocation_lists, signing_keys
from console.crypto.certificates.issuing import Issuer
from console.crypto.certificates.revocation_lists import Entry
from console.errors import NotFound
from console.shared import keyring
from products.models import IssuingCA, IssuingKind, PublishedList, RevokedSerial

LASTS: Final = timedelta(days=7)
FRESH: Final = timedelta(days=1)
"""Made anew after so long, also where nothing changed: who checks has six days to notice that we are gone."""
NAMED_AFTER_ITS_END: Final = timedelta(days=1)
"""RFC 5280, 3.3: an entry stays until it was on one list after its certificate's end."""


class NoList(NotFound):
    """No issuing CA of the console has this number."""

    code = "no_revocation_list"
    default_message = "There is no revocation list of this number."


def current(authority_id: int, *, at: datetime) -> PublishedList:
    """The list as DER in `der`, made now if it must be. Raises NoList, SealBroken."""
    row = PublishedList.objects.filter(pk=authority_id).first()
    if row is None:
        raise NoList
    return row if _is_good(row, at) else _renew(authority_id, at)


@transaction.atomic
def _renew(authority_id: int, at: datetime) -> PublishedList:
    """Locks the list's row; who waited for that finds it made. `outdated` is taken back before the entries are read: what is revoked
    meanwhile sets it again."""
    row = PublishedList.objects.select_for_update().get(pk=authority_id)
    if _is_good(row, at):
        return row
    PublishedList.objects.filter(pk=authority_id).update(outdated=False)
    revoked = {one.serial: one for one in RevokedSerial.objects.to_publish(authority_id, at - NAMED_AFTER_ITS_END)}
    entries = [Entry(int(one.serial, 16), one.revoked_at, one.reason) for one in revoked.values()]
    row.der = revocation_lists.make(_issuer(authority_id), entries, number=row.number + 1, at=at, lasts=LASTS)
    row.number, row.this_update, row.next_update, row.entries, row.outdated = row.number + 1, at, at + LASTS, len(entries), False
    row.save(update_fields=["der", "number", "this_update", "next_update", "entries"])
    return row


def _is_good(row: PublishedList, at: datetime) -> bool:
    return not row.outdated and row.this_update is not None and row.this_update <= at < row.this_update + FRESH


def _issuer(authority_id: int) -> Issuer:
    row = IssuingCA.objects.select_related("authority").filter(authority=authority_id, kind=IssuingKind.OWN).order_by("-id").first()
    if row is None:
        raise NoList
    key = signing_keys.open_kept(keyring.unseal(row.sealed_key, owner=row.owner()))
    return Issuer(x509.load_der_x509_certificate(bytes(row.authority.certificate)), key)
