"""The search of the audit log: a term is looked for as each kind of thing by its own index, and only the kinds that it is are asked for.

One condition of five alternatives would make the database read the log backwards until it has a page full.
"""

from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from console.models import AuditEntry

Entries = QuerySet[AuditEntry]
FEW = 5_000
"""Entries that are looked up by number; where more begin alike, they are met soon by reading backwards."""


def matching(entries: Entries, term: str) -> Entries:
    """A whole person, address, action or number, or the beginning of what was acted on."""
    kinds = (Q(actor_name=term), Q(address=term), Q(action=term), Q(target_id=term))
    found = [kind for kind in kinds if entries.filter(kind).order_by().exists()]
    if beginnings := beginning_with(entries, term):
        found.append(beginnings)
    return entries.filter(reduce(or_, found)) if found else entries.none()


def beginning_with(entries: Entries, text: str) -> Q | None:
    """What was acted on begins so; None where nothing does."""
    alike = Q(target_label__startswith=text)
    numbers = list(entries.filter(alike).order_by().values_list("pk", flat=True)[: FEW + 1])
    if not numbers:
        return None
    return alike if len(numbers) > FEW else Q(pk__in=numbers)
