"""How a product reads its devices' certificates: where the DeviceName stands, what passes, how old a revocation list may be, and whether
an older one refuses."""

from datetime import datetime
from typing import Any

from django.db import transaction

from console import audit
from console.errors import Invalid
from console.shared.actors import Actor
from console.words import say
from products.models import CertificatePolicy, IdentitySource, Product
from products.models.authority import LONGEST_CRL_AGE
from products.services import authorities

CHANGEABLE = ("identity", "same_key", "crl_max_age_hours", "old_list_refuses")


@transaction.atomic
def change(product_id: int, facts: dict[str, Any], *, by: Actor, at: datetime) -> CertificatePolicy:
    """Sets some of CHANGEABLE. Locks the product. Raises Invalid."""
    product = Product.objects.select_for_update().get(pk=product_id)
    policy = authorities.policy_of(product_id)
    before = facts_of(policy)
    for name in CHANGEABLE:
        setattr(policy, name, facts.get(name, before[name]))
    _check(policy)
    after = facts_of(policy)
    if before != after:
        CertificatePolicy.objects.update_or_create(product_id=product_id, defaults=after)
        changed = [name for name in CHANGEABLE if before[name] != after[name]]
        told = [{name: side[name] for name in changed} for side in (before, after)]
        audit.record("product.certificate_policy", product, by=by, at=at, before=told[0], after=told[1])
        transaction.on_commit(authorities.forget)
    return policy


def facts_of(policy: CertificatePolicy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in CHANGEABLE}


def _check(policy: CertificatePolicy) -> None:
    if policy.identity not in IdentitySource.values:
        raise Invalid("Choose where in the certificate the DeviceName stands.", field="identity")
    if policy.crl_max_age_hours is not None and not 1 <= policy.crl_max_age_hours <= LONGEST_CRL_AGE:
        words = "The maximal age of a revocation list is between 1 and {most:,} hours, or empty."
        raise Invalid(say(words, most=LONGEST_CRL_AGE), field="crl_max_age_hours")
