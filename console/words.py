"""Sentences with facts inside, for operators: English where they are made and stored, in the reader's language where they are shown.

A sentence remembers its template and its facts, so that a door can say the same in another language (console/shared/translation.py).
"""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Self

_TAIL = re.compile(r"(?<=[\w}])[;:] .*|(?<=[\w}]\.) .*|[；：].*|(?<=。).*", re.DOTALL)


class _Facts(Formatter):
    """A fact that is a text already keeps its form, whatever the template asks: 12,000 read back from a stored sentence."""

    def format_field(self, value: object, format_spec: str) -> str:
        return str(value) if isinstance(value, str) else format(value, format_spec)


class Sentence(str):
    """The English text. `template` has its facts as named fields in braces, with a format where numbers need one: `{left:,}`."""

    __slots__ = ("facts", "template")

    template: str
    facts: Mapping[str, object]

    def __new__(cls, template: str, facts: Mapping[str, object]) -> Self:
        self = super().__new__(cls, render(template, facts))
        self.template, self.facts = template, dict(facts)
        return self

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override]
        return self.template, self.facts


def say(template: str, /, **facts: object) -> Sentence:
    """Also without facts: it marks a fixed sentence as one that is translated. Raises KeyError where the template asks for more."""
    return Sentence(template, facts)


def render(template: str, facts: Mapping[str, object]) -> str:
    """The template with its facts filled in. A template is ours, never a person's text; without facts it is the text itself."""
    return _Facts().vformat(template, (), facts) if facts else template


def beginning(text: str) -> str:
    """The rule that a sentence says, without what follows it: up to a semicolon, a colon or a first full stop, which it loses too."""
    return _TAIL.sub("", text).rstrip(".。")
