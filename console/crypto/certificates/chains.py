"""From a presented certificate to a trust anchor: certification path validation (RFC 5280, 6.1) by our own small code.

cryptography's x509.verification is not used. Its ClientVerifier follows the Web PKI: as delivered it wants a SubjectAltName and an
authorityKeyIdentifier in the leaf and a key usage in every CA certificate, all of which private CAs of devices leave out (a certificate
that `openssl x509 -req` makes has no extension at all, and is of version 1); with policies that permit more, a refusal is still one text
about "candidates" from which no operator learns which link failed, and why. Signatures are verified by that library all the same.

A path is found by names and signatures alone, then its links are checked (links.py), so that the reason is the first that matters.
An anchor is any CA certificate that was uploaded, root or intermediate: the direct issuer alone suffices. Its dates, its key and its
constraints are checked as well (RFC 5280 leaves this to us), since an operator expects that an expired CA certificate admits nobody.

Names are compared as bytes, which RFC 5280, 7.1 leaves open: every tool copies the issuer's name as it stands. Key identifiers only say
what to try first. Policies (RFC 5280, 6.1.2) are not processed: nothing here depends on one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from console.crypto.certificates import algorithms, links
from console.crypto.certificates.certificate import Certificate
from console.crypto.certificates.errors import BadCertificateSignature, NotTrusted, PathTooLong, TooMany, UnknownIssuer
from console.words import say

Path = tuple[Certificate, ...]
"""The leaf first, the trust anchor last."""

MAX_PRESENTED: Final = 10
MAX_INTERMEDIATES: Final = 5
"""Between leaf and anchor."""
MAX_SIGNATURES: Final = 40
"""How many signatures are verified at most, for a tangle of certificates that sign each other."""

is_signed_by = algorithms.is_signed_by


def verify(presented: Sequence[Certificate], anchors: Sequence[Certificate], *, at: datetime) -> Path:
    """`presented`: the leaf first, then intermediates in any order. `anchors`: CA certificates that are trusted, roots or intermediates.

    Raises a NotTrusted with the reason, or TooMany; of several paths, that of the first one found."""
    if not presented or len(presented) > MAX_PRESENTED:
        words = say("{count} certificates were presented; {most} is the most.", count=len(presented), most=MAX_PRESENTED)
        raise TooMany(words) if presented else TooMany("No certificate was presented.")
    links.check_leaf(presented[0])
    search, first = _Search(presented[1:], anchors), None
    for path in search.paths((presented[0],)):
        try:
            links.check(path, at)
        except NotTrusted as error:
            first = first or error
        else:
            return path
    raise first or search.reason


class _Search:
    """Depth first, anchors before intermediates, no certificate twice on a path. Remembers why the longest path led no further."""

    def __init__(self, intermediates: Sequence[Certificate], anchors: Sequence[Certificate]) -> None:
        self._anchors = {one.sha256: one for one in anchors}
        self._issuers: dict[bytes, list[Certificate]] = {}
        for one in {**self._anchors, **{one.sha256: one for one in intermediates}}.values():
            self._issuers.setdefault(one.subject_bytes, []).append(one)
        self._verified = 0
        self._reason: NotTrusted | None = None
        self._reached = 0

    @property
    def reason(self) -> NotTrusted:
        return self._reason or UnknownIssuer()

    def paths(self, path: Path) -> Iterator[Path]:
        last = path[-1]
        candidates = [one for one in self._issuers.get(last.issuer_bytes, ()) if one not in path]
        if not candidates:
            self._ends(
                path,
                UnknownIssuer(
                    say(
                        "No CA certificate that is trusted here, and none that was presented, has issued {name}: its issuer is {issuer}.",
                        name=last.shown_as,
                        issuer=last.issuer,
                    )
                ),
            )
            return
        signed = False
        for issuer in sorted(candidates, key=lambda one: self._order(last, one)):
            if self._is_signed_by(path, issuer):
                signed = True
                yield from self._onward((*path, issuer))
        if not signed:
            self._ends(
                path,
                BadCertificateSignature(
                    say(
                        "{name} bears the name of the CA {issuer}, but was not signed with that CA's key.",
                        name=last.shown_as,
                        issuer=last.issuer,
                    )
                ),
            )

    def _onward(self, path: Path) -> Iterator[Path]:
        if path[-1].sha256 in self._anchors:
            yield path
        elif len(path) - 1 > MAX_INTERMEDIATES:
            words = "The certification path has more than {most} intermediate certificates."
            self._ends(path, PathTooLong(say(words, most=MAX_INTERMEDIATES)))
        else:
            yield from self.paths(path)

    def _is_signed_by(self, path: Path, issuer: Certificate) -> bool:
        try:
            algorithms.check_signature(path[-1])
            algorithms.check_key(issuer)
        except NotTrusted as error:
            self._ends(path, error)
            return False
        self._verified += 1
        if self._verified > MAX_SIGNATURES:
            words = "More than {most} signatures would have to be verified to find a certification path."
            self._ends(path, PathTooLong(say(words, most=MAX_SIGNATURES)))
            return False
        return algorithms.is_signed_by(path[-1], issuer)

    def _order(self, issued: Certificate, issuer: Certificate) -> tuple[bool, bool]:
        named = bool(issued.authority_key_identifier) and issued.authority_key_identifier == issuer.subject_key_identifier
        return issuer.sha256 not in self._anchors, not named

    def _ends(self, path: Path, reason: NotTrusted) -> None:
        if len(path) > self._reached:
            self._reached, self._reason = len(path), reason
