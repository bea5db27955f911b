"""The README lists every setting as it is."""

from console.environment import Environment
from tests.house.settings_table import README, documented, table


def test_every_setting_says_what_it_does() -> None:
    assert not [name for name, info in Environment.model_fields.items() if not info.description]


def test_the_readme_has_the_table_of_all_settings() -> None:
    assert documented(README.read_text()) == table(), "run: python -m tests.house.settings_table"
