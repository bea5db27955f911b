"""The record of issued certificates does not grow for ever: what ended long ago is forgotten."""

from datetime import datetime, timedelta
from typing import Final

from products.models import IssuedCertificate, RevocationSource, RevokedSerial

KEPT_AFTER_THE_END: Final = timedelta(days=90)
ROWS: Final = 5_000


def purge(*, at: datetime) -> int:
    """Certificates that ended so long ago that no list names them and no device can use them; returns how many. A block at a time."""
    until = at - KEPT_AFTER_THE_END
    gone = 0
    while keys := list(IssuedCertificate.objects.filter(not_after__lt=until).order_by("not_after").values_list("pk", flat=True)[:ROWS]):
        gone += IssuedCertificate.objects.filter(pk__in=keys).delete()[0]
    RevokedSerial.objects.filter(source=RevocationSource.ISSUED, not_after__lt=until).delete()
    return gone
