"""That something was revoked is passed on: devices that are connected by a revoked certificate are to be cut off.

Whoever revokes calls `spread` in his transaction. Who cuts (an app above) claims it behind the commit.
"""

from collections.abc import Collection
from typing import Final

from django.db.models import F

from console.shared.tasks import nudge
from products.models import RevocationNews

CUT_TASK: Final = "devices.cut_revoked"
ROUNDS: Final = 4
"""The first at once, the others with the schedule: by the last one every process knows of the revocation (their caches last seconds), and
every connection that was let in before it is recorded."""


def spread(authority_ids: Collection[int]) -> None:
    """Something of these CAs was revoked, or they themselves, or they were switched off or taken from a product. Within the caller's
    transaction, near its end: it holds the rows."""
    rows = [RevocationNews(authority_id=number, rounds=ROUNDS) for number in sorted(set(authority_ids))]
    RevocationNews.objects.bulk_create(rows, update_conflicts=True, unique_fields=["authority"], update_fields=["rounds"])
    for row in rows:
        nudge(CUT_TASK, row.pk)


def claim(authority_id: int) -> bool:
    """True for the one who is to look through the connections now; what is revoked after this makes news again."""
    return bool(RevocationNews.objects.filter(pk=authority_id, rounds=ROUNDS).update(rounds=ROUNDS - 1))


def claim_all() -> list[int]:
    """The CAs whose news have rounds left, each one round less."""
    left = RevocationNews.objects.filter(rounds__gt=0)
    found = sorted(left.values_list("pk", flat=True))
    left.filter(pk__in=found).update(rounds=F("rounds") - 1)
    return found
