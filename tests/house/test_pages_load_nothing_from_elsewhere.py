"""Every page works on a machine without the internet: templates, styles and scripts of ours name no other host."""

import re

import pytest

from tests.house.source import files, name

LOADS = re.compile(
    r"""(?ix)
    <(?:script|img|iframe|source|video|audio|embed|input|use)\b[^>]*\b(?:src|href|data)\s*=\s*["']?\s*(?:https?:)?//
    | <link\b[^>]*\bhref\s*=\s*["']?\s*(?:https?:)?//
    | url\(\s*["']?\s*(?:https?:)?//
    | @import\s+["'](?:https?:)?//
    | \b(?:fetch|importScripts|import|EventSource|WebSocket|XMLHttpRequest)\s*\(\s*["'`](?:https?:|wss?:)?//
    """
)


@pytest.mark.parametrize("bad", ['<script src="https://cdn.example/x.js">', '<link rel="x" href="//fonts.example/a.css">', "a{background:url(http://x/y)}",
                                 'fetch("https://x/y")', '@import "https://x/y.css"'])  # fmt: skip
def test_the_ratchet_sees_a_load(bad: str) -> None:
    assert LOADS.search(bad)


def test_a_link_that_a_person_clicks_is_no_load() -> None:
    assert not LOADS.search('<a href="https://example.com/manual">')


def test_no_template_style_or_script_loads_another_host() -> None:
    pages = files(".html", ".css", ".js", ".svg")
    found = [(name(path), hit.group()) for path in pages if path.parts[-2] != "docs" and (hit := LOADS.search(path.read_text()))]
    assert not found
