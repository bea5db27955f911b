"""Sentences shown in the language of the person who looks."""

import re

import pytest
from django.template import Context, Template
from django.utils import translation

from console.errors import Conflict
from console.shared.translation import shown
from console.words import say
from devices.rules import names
from devices.rules.admission import NotImported
from products.rules.wire_formats import wire_format

LEFT = "The product has {left:,} activation codes left; {asked:,} were asked for."
ENGLISH = re.compile(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+")


@pytest.mark.parametrize("text", ["", "Nobody knows this sentence.", say(LEFT, left=1, asked=2)])
def test_in_english_a_text_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize("text", ["", "Nobody knows this sentence.", "a b c d; e f"])
def test_what_nobody_knows_is_shown_as_it_is(text: str) -> None:
    with translation.override("zh-hans"):
        assert shown(text) == text


def test_a_sentence_is_shown_by_its_template() -> None:
    with translation.override("zh-hans"):
        words = shown(Conflict(say(LEFT, left=12000, asked=20000)))
    assert "12,000" in words and "20,000" in words
    assert not ENGLISH.search(words)


def test_a_stored_sentence_is_recognised() -> None:
    with translation.override("zh-hans"):
        assert shown("The product has 12,000 activation codes left; 20,000 were asked for.") == shown(say(LEFT, left=12000, asked=20000))
        assert shown("Another device has the SN {left:,}.") == shown(say("Another device has the SN {sn}.", sn="{left:,}"))


def test_a_fixed_sentence_is_shown_by_its_entry() -> None:
    with translation.override("zh-hans"):
        assert not ENGLISH.search(shown(NotImported()))


def test_a_rule_without_the_end_of_its_sentence_is_recognised() -> None:
    with pytest.raises(names.BadDeviceName) as caught:
        names.device_name("imei", wire_format("native"), "49015420323751")
    with translation.override("zh-hans"):
        rule, whole = shown("An IMEI has 15 digits"), shown(caught.value)
    assert whole.startswith(rule) and len(rule) < len(whole)
    assert not ENGLISH.search(whole)


def test_a_page_shows_a_stored_text_and_escapes_its_facts() -> None:
    page = Template("{% load words %}{{ text|shown }}")
    with translation.override("zh-hans"):
        words = page.render(Context({"text": "Another device has the SN <b>1</b>."}))
    assert "&lt;b&gt;1&lt;/b&gt;" in words
    assert not ENGLISH.search(words)
