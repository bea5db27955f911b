"""manage.py reseal: a new key for everything sealed, while the console runs."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.crypto.sealing import KEY_SIZE
from console.errors import DomainError
from console.shared import keyring
from console.shared.resealing import reseal_everything


class Command(BaseCommand):
    help = "Adds a new key to the key ring and moves every sealed secret to it. The console goes on running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep-key", action="store_true", help="make no new key: only move what older keys sealed to the first one")
        parser.add_argument("--drop-old", action="store_true", help="remove the older keys when nothing is sealed with them any more")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._reseal(new_key=not options["keep_key"], drop_old=options["drop_old"])
        except DomainError as error:
            raise CommandError(error.message) from error

    def _reseal(self, *, new_key: bool, drop_old: bool) -> None:
        if new_key:
            self._add_key()
        self._pass()
        left = self._pass()
        if left:
            raise CommandError(f"{left} values were still moved in the second pass. Run this again with --keep-key.")
        if drop_old:
            self._drop_old()

    def _add_key(self) -> None:
        file = keyring.path()
        if file is None:
            raise CommandError(
                "The key ring stands in NAMEPLATE_KEY_RING: put a new key first in its list, restart, then run this with --keep-key."
            )
        ring = keyring.current().with_new_primary(os.urandom(KEY_SIZE))
        keyring.write(ring, file)
        self.stdout.write(f"Key {ring.ids()[0]} seals from now on.")

    def _pass(self) -> int:
        moved = 0
        for result in reseal_everything():
            moved += result.moved
            self.stdout.write(f"{result.column} in {result.database}: {result.moved} of {result.seen} moved")
        return moved

    def _drop_old(self) -> None:
        file = keyring.path()
        if file is None:
            raise CommandError("The key ring stands in NAMEPLATE_KEY_RING: take the older keys out of it there.")
        keyring.write(keyring.current().without_old_keys(), file)
        self.stdout.write("The older keys are gone from the key ring.")
