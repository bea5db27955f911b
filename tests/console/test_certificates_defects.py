"""2,000 certificates with one defect each: every one is refused, and for its own reason."""

from collections.abc import Iterable

import pytest

from console.crypto.certificates import chains, errors, reading
from tests.console import x509_unreadable, x509_untrusted
from tests.console.x509_parts import NOW, authority, certificate, dn, key
from tests.console.x509_spoiled import EACH, Kinds

KINDS = Kinds(x509_unreadable.KINDS | x509_untrusted.KINDS)


def admit(presented: Iterable[bytes], anchors: Iterable[bytes]) -> chains.Path:
    return chains.verify([reading.from_der(one) for one in presented], [reading.from_der(one) for one in anchors], at=NOW)


def test_without_a_defect_it_is_admitted() -> None:
    middle = authority("middle", of="CA")
    assert len(admit([certificate()], [authority()])) == 2
    assert len(admit([certificate(issuer=dn("middle"), signer=key("middle")), middle], [authority()])) == 3
    assert len(admit([certificate(issuer=dn("middle"), signer=key("middle"))], [middle])) == 2
    assert len(admit([certificate(version=b"", extensions=None)], [authority()])) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_refused_for_its_own_reason(kind: str) -> None:
    spoiled = KINDS.all_of(kind)
    assert len(spoiled) == EACH
    anchors = (authority(),)
    for one in spoiled:
        with pytest.raises(errors.CertificateError) as refused:
            admit(one.presented, one.anchors or anchors)
        told = (refused.type, refused.value.message)
        assert refused.type is one.reason, told
        assert not one.field or refused.value.field == one.field, told
        assert one.says in refused.value.message, told


def test_there_are_two_thousand_of_them() -> None:
    assert len(KINDS) * EACH >= 2000
