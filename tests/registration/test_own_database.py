"""A data center with a database of its own keeps its log and its nonces there (D3, A14)."""

from pathlib import Path

import pytest

from tests.devices import test_own_database as devices_own


@pytest.mark.storage
def test_a_data_center_keeps_its_log_in_its_own_database(tmp_path: Path) -> None:
    told = devices_own.run(tmp_path, "tests/registration/own_database_story.py")
    assert told.endswith("told")
