"""manage.py verify_receipt: is this file what the register made? It asks no database, so it works wherever the code is."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.errors import DomainError
from devices.rules import receipt_checks
from devices.rules.receipt_checks import KnownKey
from devices.rules.receipt_form import SUFFIX, Receipt
from devices.services import receipt_files


class Command(BaseCommand):
    help = "Checks a receipt, the files beside it and its place in the chain, or a folder of receipts as a chain. Needs no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("receipt", type=Path, help=f"a receipt, or a folder in which all files named *{SUFFIX} are one chain")
        parser.add_argument("files", type=Path, nargs="*", metavar="file", help="a file of activation codes that the receipt lists")
        parser.add_argument("--key", type=Path, required=True, help="the public keys: PEM, or the document at /receipts/keys")
        parser.add_argument("--previous", type=Path, metavar="RECEIPT", help="the receipt before it")
        parser.add_argument("--allow-gaps", action="store_true", help="of a folder: some receipts may be missing")

    def handle(self, *args: Any, **options: Any) -> None:
        self.failed = False
        keys = self._keys(options["key"])
        if options["receipt"].is_dir():
            if options["files"] or options["previous"]:
                raise CommandError("Beside a folder there is nothing else to check: name one receipt.")
            self._check_folder(options["receipt"], keys, gaps_allowed=options["allow_gaps"])
        else:
            receipt = self._check_receipt(options["receipt"], keys)
            self._check_place(receipt, options["receipt"], options["previous"], keys)
            for file in options["files"]:
                self._check_file(receipt, file)
        if self.failed:
            raise CommandError("REFUSED: at least one of these is not what the register made.")
        self.stdout.write("Everything fits.")

    def _keys(self, file: Path) -> dict[str, KnownKey]:
        try:
            return receipt_checks.read_keys(receipt_files.read_text(file))
        except DomainError as error:
            raise CommandError(f"{file}: {error.message}") from error

    def _check_receipt(self, file: Path, keys: dict[str, KnownKey]) -> Receipt:
        """Nothing else is worth a look where the receipt itself is none."""
        try:
            receipt = receipt_files.read_receipt(file)
            key = receipt_checks.check_signature(receipt, keys)
            receipt_checks.check_beginning(receipt)
        except DomainError as error:
            raise CommandError(f"{file}: REFUSED: {error.message}") from error
        facts = receipt.facts
        made, product = facts["batch"]["made"], facts["product"]
        self._say(
            file, f"receipt {receipt.number} of {facts['installation']['name'] or facts['installation']['id']}, {facts['issued_at']}."
        )
        self._say(
            file, f"batch {receipt.batch} of {product['name']} ({product['key']}), edition {facts['edition']}, {made:,} devices made."
        )
        self._say(file, f"signed with the key {key.id}.")
        if facts["batch"]["undone_at"]:
            self._say(file, f"the batch was undone at {facts['batch']['undone_at']}: none of its devices exists any more.")
        return receipt

    def _check_place(self, receipt: Receipt, file: Path, before: Path | None, keys: dict[str, KnownKey]) -> None:
        if before is None:
            return
        previous = self._check_receipt(before, keys)
        try:
            receipt_checks.check_link(receipt, previous)
        except DomainError as error:
            self._refuse(file, error.message)
        else:
            self._say(file, f"follows directly on receipt {previous.number}.")

    def _check_file(self, receipt: Receipt, file: Path) -> None:
        devices = receipt.facts["devices"]
        try:
            seen = receipt_files.look_at(file, devices["columns"])
            form = receipt_checks.check_file(receipt, seen)
        except DomainError as error:
            self._refuse(file, error.message)
            return
        self._say(file, f"is the file {form} of the batch, unaltered: SHA-256 {seen.sha256}.")
        if seen.root == devices["root"]:
            self._say(file, f"has all {seen.rows:,} devices of the batch in their order: root {seen.root}.")
        elif seen.root:
            self._say(file, f"is of {seen.rows:,} devices, and not all are as they were at {devices['taken_at']}: secrets changed since.")

    def _check_folder(self, folder: Path, keys: dict[str, KnownKey], *, gaps_allowed: bool) -> None:
        files = sorted(folder.glob(f"*{SUFFIX}"))
        if not files:
            raise CommandError(f"{folder}: no file named *{SUFFIX} is here.")
        chain = [receipt for file in files if (receipt := self._of_folder(file, keys)) is not None]
        if self.failed:
            return
        try:
            gaps = receipt_checks.check_chain(chain, gaps_allowed=gaps_allowed)
        except DomainError as error:
            self._refuse(folder, error.message)
            return
        numbers = [receipt.number for receipt in chain]
        words = f"with {len(gaps)} gaps" if gaps else "an unbroken chain"
        self._say(folder, f"{len(chain)} receipts, {min(numbers)} to {max(numbers)}, {words}; each is signed.")

    def _of_folder(self, file: Path, keys: dict[str, KnownKey]) -> Receipt | None:
        try:
            receipt = receipt_files.read_receipt(file)
            receipt_checks.check_signature(receipt, keys)
        except DomainError as error:
            self._refuse(file, error.message)
            return None
        return receipt

    def _say(self, file: Path, words: str) -> None:
        self.stdout.write(f"{file}: {words}")

    def _refuse(self, file: Path, words: str) -> None:
        self.failed = True
        self.stderr.write(f"{file}: REFUSED: {words}")
