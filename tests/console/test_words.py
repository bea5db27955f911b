"""Sentences that remember their facts."""

import copy
import json
import pickle

import pytest

from console.errors import Invalid
from console.words import Sentence, beginning, say


def test_a_sentence_is_its_english_text() -> None:
    sentence = say("The product has {left:,} activation codes left; {asked:,} were asked for.", left=12000, asked=20000)
    assert sentence == "The product has 12,000 activation codes left; 20,000 were asked for."
    assert json.loads(json.dumps([sentence])) == [str(sentence)]


def test_a_fact_is_no_template() -> None:
    assert say("{host} is not a host name.", host="{0.__class__}") == "{0.__class__} is not a host name."
    assert say("A set {of braces} without facts") == "A set {of braces} without facts"


def test_a_fact_that_is_missing_is_noticed_at_once() -> None:
    with pytest.raises(KeyError):
        say("The device quota is between 1 and {most:,}.", least=1)


def test_a_sentence_survives_being_copied_and_sent_elsewhere() -> None:
    sentence = say("{host} is not a host name.", host="{x}")
    for again in (pickle.loads(pickle.dumps(sentence)), copy.deepcopy(sentence)):
        assert isinstance(again, Sentence)
        assert (again, again.template, again.facts) == (sentence, sentence.template, sentence.facts)


def test_an_error_keeps_its_sentence() -> None:
    error = Invalid(say("{host} is not a host name.", host="a b"), field="hosts")
    assert isinstance(error.message, Sentence)
    assert str(error) == "a b is not a host name."
    assert Invalid().message == "The value is not valid."


@pytest.mark.parametrize(
    ("sentence", "rule"),
    [
        ("A MAC address has 12 hex digits; this one has 11.", "A MAC address has 12 hex digits"),
        ("An IMEI has only digits.", "An IMEI has only digits"),
        ("The IMEI's check digit is wrong: it ends in 3, 8 was expected.", "The IMEI's check digit is wrong"),
        ("A serial number has up to 64 letters, digits, - _ . or :", "A serial number has up to 64 letters, digits, - _ . or :"),
        ("MAC 地址为 12 位十六进制数字；此处为 11 位。", "MAC 地址为 12 位十六进制数字"),
        ("IMEI 只能包含数字。", "IMEI 只能包含数字"),
    ],
)
def test_a_sentence_begins_with_its_rule(sentence: str, rule: str) -> None:
    assert beginning(sentence) == rule
