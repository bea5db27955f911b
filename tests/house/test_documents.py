"""What the documents say exists: settings, commands, links, pictures."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from console.environment import Environment, name_of
from tests.house.source import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FURTHER_NAMES = {"DATABASE_URL_<ALIAS>", "NAMEPLATE_SIMULATE_SECRET"}
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)


@each_document
def test_it_names_only_settings_that_exist(document: Path) -> None:
    known = {name_of(field, info) for field, info in Environment.model_fields.items()} | FURTHER_NAMES
    named = set(re.findall(r"\bNAMEPLATE_[A-Z_]*[A-Z]", document.read_text()))
    assert not {name for name in named if name not in known and name.removesuffix("_FILE") not in known}


@each_document
def test_it_names_only_commands_that_exist(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    assert set(re.findall(r"`make ([a-z-]+)[` ]", text)) <= targets


@each_document
def test_its_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    ours = [link for link in links if "://" not in link]
    assert [link for link in ours if not (document.parent / link).exists()] == []


def test_every_picture_is_shown_by_a_document() -> None:
    shown = {name for document in DOCUMENTS for name in re.findall(r"images/([\w-]+\.png)", document.read_text())}
    assert {file.name for file in (ROOT / "docs" / "images").glob("*.png")} == shown
