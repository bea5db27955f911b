"""The top level of the project (D2): a newcomer sees the house at once, and nothing else lands there."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DESIGN_CARD = {"manage.py", "pyproject.toml", "README.md", "console", "devices", "products", "registration", "templates", "static", "tests"}
BESIDE_IT = {"Makefile", "CHANGELOG.md", "docs", "bench", "locale"}
MADE_BY_RUNNING = {"var", "test-results", "__pycache__"}


def test_the_top_level_is_that_of_the_design_card() -> None:
    top = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - MADE_BY_RUNNING
    assert top >= DESIGN_CARD
    assert top <= DESIGN_CARD | BESIDE_IT
