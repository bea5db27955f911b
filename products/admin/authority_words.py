"""How a CA certificate's state and its end are shown."""

from datetime import datetime
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.crypto.certificates.certificate import Certificate
from console.shared.admin import badge
from products.models import AuthorityState, CertificateAuthority
from products.services.authority_upkeep import key_text

COLOURS = {
    AuthorityState.PENDING: "amber",
    AuthorityState.VERIFIED: "blue",
    AuthorityState.ACTIVE: "green",
    AuthorityState.INACTIVE: "grey",
    AuthorityState.REVOKED: "red",
}
SOON, NOW = 60, 30
"""Days left from which the end is amber, and red."""


def state_badge(authority: CertificateAuthority, at: datetime) -> SafeString:
    """What counts most: a certificate that has ended is good for nothing, whatever was switched."""
    if authority.has_ended(at) and authority.state != AuthorityState.REVOKED:
        return badge("red", _("Expired"))
    return badge(COLOURS[AuthorityState(authority.state)], authority.get_state_display())


def end_badge(authority: CertificateAuthority, at: datetime) -> SafeString:
    """The days that are left."""
    if authority.has_ended(at):
        return badge("red", _("ended"))
    days = authority.days_left(at)
    words = ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    return badge("red" if days <= NOW else "amber" if days <= SOON else "grey", words)


def colons(digits: str) -> SafeString:
    """Hex digits in pairs, as people compare them; a line may break behind a colon."""
    pairs = ((digits[at : at + 2].upper(),) for at in range(0, len(digits), 2))
    return format_html_join(mark_safe(":<wbr>"), "{}", pairs)


def checks(certificate: Certificate, at: datetime) -> list[tuple[bool, Any]]:
    """What was looked at when it was uploaded, with what was found: (whether it is still so, in words)."""
    limit = certificate.path_length
    below = _("any number of CAs below it") if limit is None else _("CAs below it: %(count)d at most") % {"count": limit}
    found = [
        _("It is of X.509 version 3"),
        _("It is the certificate of a CA (basicConstraints CA:TRUE, %(below)s)") % {"below": below},
        _("Its key is strong enough: %(key)s") % {"key": key_text(certificate)},
        _("Its signature is strong enough: %(algorithm)s") % {"algorithm": certificate.signature_algorithm},
    ]
    if certificate.key_usages is not None:
        found.append(_("Its key may sign certificates (keyCertSign)"))
    if certificate.is_self_issued:
        found.append(_("It is signed with its own key"))
    return [*((True, words) for words in found), (certificate.not_before <= at <= certificate.not_after, _("It is valid now"))]
