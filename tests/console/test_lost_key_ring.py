"""A key ring that is gone is said before anything starts, and never replaced while secrets are sealed with it."""

from pathlib import Path
from typing import Any

import pytest

from console import first_start
from console.first_start import KeyRingLost
from console.shared import keyring
from tests import cast
from tests.cast import NOON


@pytest.fixture
def no_ring(settings: Any, tmp_path: Path) -> Any:
    settings.NAMEPLATE_KEY_RING = ""
    settings.NAMEPLATE_KEY_RING_FILE = tmp_path / "keyring.json"
    keyring.reset()
    yield settings.NAMEPLATE_KEY_RING_FILE
    keyring.reset()


@pytest.mark.django_db
def test_a_first_start_makes_a_ring(no_ring: Path) -> None:
    assert first_start.make_key_ring()
    assert no_ring.exists()
    assert not first_start.make_key_ring()


@pytest.mark.django_db
def test_a_lost_ring_is_not_replaced_while_secrets_are_sealed_with_it(no_ring: Path) -> None:
    first_start.make_key_ring()
    cast.kettle()
    no_ring.unlink()
    with pytest.raises(KeyRingLost, match="Put its copy back"):
        first_start.make_key_ring()
    assert not no_ring.exists()


@pytest.mark.django_db
def test_nor_while_the_receipts_key_is(no_ring: Path) -> None:
    first_start.make_key_ring()
    first_start.make_receipt_key(at=NOON)
    no_ring.unlink()
    with pytest.raises(KeyRingLost, match="Put its copy back"):
        first_start.make_key_ring()
