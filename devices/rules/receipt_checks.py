"""Whether a receipt is what it says: signed by a known key while that was in use, a link of the chain, and true to the files beside it.

Each check returns nothing or a fact, and raises the reason where it fails.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from console.crypto import signing
from console.crypto.signing import BadPublicKey
from console.errors import Invalid
from console.words import say
from devices.rules.receipt_form import Receipt


class UnknownKey(Invalid):
    """The receipt names a key that was not given."""

    code = "unknown_receipt_key"


class KeyNotInUse(Invalid):
    """The receipt says that it was issued when its key did not sign yet, or no more."""

    code = "receipt_key_not_in_use"


class ChainBroken(Invalid):
    """A receipt is not the one that follows another."""

    code = "receipt_chain_broken"


class NotTheFile(Invalid):
    """The file is not one of those that the receipt lists."""

    code = "not_the_receipts_file"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """`public`: 32 bytes. `since` and `until`: moments as receipts have them, empty where nothing is known or there is no end."""

    public: bytes
    since: str = ""
    until: str = ""

    @property
    def id(self) -> str:
        return signing.key_id(self.public)


@dataclass(frozen=True, slots=True)
class SeenFile:
    """What was found in a file. `rows`: devices. `root`: over them, empty where a column of the receipt is missing in the file.
    `fault`: why its rows cannot be read."""

    sha256: str
    rows: int = 0
    root: str = ""
    fault: str = ""


def read_keys(text: str) -> dict[str, KnownKey]:
    """From PEM blocks, or from the document at /receipts/keys: by their ids, which follow from the keys alone. Raises BadPublicKey."""
    found = _from_document(text) if text.lstrip().startswith("{") else [KnownKey(public) for public in signing.read_pem(text)]
    return {key.id: key for key in found}


def check_signature(receipt: Receipt, keys: Mapping[str, KnownKey]) -> KnownKey:
    """The key that signed it. Raises UnknownKey, SignatureBroken or KeyNotInUse."""
    key = keys.get(str(receipt.facts["key"]))
    if key is None:
        raise UnknownKey(say("The receipt names the key {key}, which is not among the given ones.", key=receipt.facts["key"]))
    signing.check(key.public, receipt.signature, receipt.payload)
    issued = str(receipt.facts["issued_at"])
    if issued < key.since:
        raise KeyNotInUse(say("The receipt says {issued}, and its key signs since {since}.", issued=issued, since=key.since))
    if key.until and issued > key.until:
        raise KeyNotInUse(say("The receipt says {issued}, and its key was retired at {until}.", issued=issued, until=key.until))
    return key


def check_link(receipt: Receipt, previous: Receipt) -> None:
    """Whether the one follows directly on the other. Raises ChainBroken."""
    facts = {"number": receipt.number, "previous": previous.number}
    if receipt.facts["installation"]["id"] != previous.facts["installation"]["id"]:
        raise ChainBroken(say("Receipts {number} and {previous} are of two installations.", **facts))
    if receipt.number != previous.number + 1:
        raise ChainBroken(say("Receipt {number} does not follow on receipt {previous}: their numbers are not next to each other.", **facts))
    if receipt.facts["previous"] != previous.sha256:
        raise ChainBroken(say("Receipt {number} names another receipt {previous} as the one before it.", **facts))
    if receipt.facts["issued_at"] < previous.facts["issued_at"]:
        raise ChainBroken(say("Receipt {number} says that it was issued before receipt {previous}.", **facts))


def check_beginning(receipt: Receipt) -> None:
    """The first of all names no receipt before it, every other one does. Raises ChainBroken."""
    if receipt.number < 1 or (receipt.number == 1) != (receipt.facts["previous"] == ""):
        raise ChainBroken(say("Receipt {number} is wrong about whether there is one before it.", number=receipt.number))


def check_chain(receipts: Iterable[Receipt], *, gaps_allowed: bool = False) -> list[tuple[int, int]]:
    """Receipts of one installation in any order: each follows on the one before it, and those of a batch agree. Returns the ranges of
    numbers that are missing between them. Raises ChainBroken, also for a gap unless it is allowed."""
    chain = sorted(receipts, key=lambda receipt: receipt.number)
    gaps = []
    for receipt in chain[:1]:
        check_beginning(receipt)
        if receipt.number > 1:
            gaps.append((1, receipt.number - 1))
    for previous, receipt in pairwise(chain):
        if receipt.number == previous.number:
            raise ChainBroken(say("There are two different receipts of the number {number}.", number=receipt.number))
        if receipt.number == previous.number + 1:
            check_link(receipt, previous)
        else:
            gaps.append((previous.number + 1, receipt.number - 1))
    if gaps and not gaps_allowed:
        raise ChainBroken(say("Receipt {number} is missing.", number=gaps[0][0]))
    _check_editions(chain)
    return gaps


def check_file(receipt: Receipt, seen: SeenFile) -> str:
    """The format of the listed file that this one is, byte for byte. Raises NotTheFile with what differs."""
    if undone := receipt.facts["batch"]["undone_at"]:
        raise NotTheFile(say("The batch was undone at {when}: none of its devices exists any more.", when=undone))
    for listed in receipt.facts["files"]:
        if listed["sha256"] == seen.sha256:
            return str(listed["format"])
    count, root = receipt.facts["devices"]["count"], receipt.facts["devices"]["root"]
    if seen.fault:
        raise NotTheFile(seen.fault)
    if not seen.root:
        raise NotTheFile("The receipt does not list this file, and it lacks columns by which its devices could be compared.")
    if seen.rows != count:
        raise NotTheFile(say("The file has {rows:,} devices, and the batch {count:,}.", rows=seen.rows, count=count))
    if seen.root != root:
        raise NotTheFile("As many devices as in the batch, but a cell was altered, or their order was changed.")
    raise NotTheFile(
        "The devices are those of the batch, whole and in order, but the bytes are not those of a listed file: it was saved again or "
        "converted, or was made after this receipt, which has a later edition then."
    )


def _check_editions(chain: Sequence[Receipt]) -> None:
    """Raises ChainBroken."""
    latest: dict[str, Receipt] = {}
    for receipt in chain:
        before = latest.get(receipt.batch)
        if before is not None and _contradicts(receipt.facts, before.facts):
            raise ChainBroken(say("Receipts {previous} and {number} contradict each other.", previous=before.number, number=receipt.number))
        latest[receipt.batch] = receipt


def _contradicts(facts: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Of one batch: the editions go up, and the devices stay what they were."""
    return bool(facts["edition"] <= before["edition"] or facts["devices"] != before["devices"])


def _from_document(text: str) -> list[KnownKey]:
    """Raises BadPublicKey."""
    try:
        lines = json.loads(text)["keys"]
        found = [(signing.read_pem(line["public_key"]), str(line["from"]), str(line["until"])) for line in lines]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadPublicKey("This is not the list of keys that the console has at /receipts/keys.") from error
    return [KnownKey(public, since, until) for (public, *_rest), since, until in found]
