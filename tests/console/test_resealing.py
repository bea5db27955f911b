"""manage.py reseal: everything sealed moves to a new key, and nothing is lost (resealing)."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from console.crypto import sealing
from console.shared import keyring
from console.shared.resealing import reseal_everything
from products.services import products
from tests import cast
from tests.cast import NOON, OPERATOR

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


@pytest.fixture(autouse=True)
def ring_of_its_own(settings: Any, tmp_path: Path) -> Path:
    settings.NAMEPLATE_KEY_RING = ""
    settings.NAMEPLATE_KEY_RING_FILE = tmp_path / "keyring.json"
    keyring.reset()
    keyring.make_if_missing()
    return tmp_path / "keyring.json"


def test_every_secret_opens_with_the_new_key_alone(ring_of_its_own: Path) -> None:
    kettle = cast.kettle()
    row = cast.row(kettle, "A4C138000001")
    before = keyring.unseal(row.sealed_secret, owner=row.secret_owner())
    out = StringIO()
    call_command("reseal", "--drop-old", stdout=out)
    assert len(sealing.load(ring_of_its_own.read_text()).ids()) == 1
    old = bytes(row.sealed_secret)
    row.refresh_from_db()
    assert bytes(row.sealed_secret) != old
    assert keyring.unseal(row.sealed_secret, owner=row.secret_owner()) == before
    assert products.reveal_secret(kettle, by=OPERATOR, at=NOON) == "h1nQFYPZS0mW1234"
    assert before not in out.getvalue()


def test_a_second_pass_moves_nothing() -> None:
    cast.row(cast.kettle(), "A4C138000001")
    call_command("reseal", stdout=StringIO())
    assert sum(result.moved for result in reseal_everything()) == 0


def test_a_process_that_runs_sees_the_new_key_without_a_restart(ring_of_its_own: Path) -> None:
    sealed = keyring.seal("secret", owner=b"x")
    ring = keyring.current().with_new_primary(b"k" * 32)
    keyring.write(ring, ring_of_its_own)
    assert keyring.seal("other", owner=b"x")[:5] == ring.header
    assert keyring.unseal(sealed, owner=b"x") == "secret"


def test_the_key_ring_is_for_its_owner_alone(ring_of_its_own: Path) -> None:
    assert ring_of_its_own.stat().st_mode & 0o777 == 0o600
    assert not keyring.make_if_missing()


def test_a_ring_in_the_environment_cannot_be_added_to(settings: Any) -> None:
    settings.NAMEPLATE_KEY_RING = sealing.new_ring().dump()
    keyring.reset()
    with pytest.raises(CommandError, match="put a new key first"):
        call_command("reseal", stdout=StringIO())
