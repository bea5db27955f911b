"""Sentences of services and rules, shown in the language of the person who looks.

They are made and stored in English. A Sentence is translated by its template; a fixed text by its entry in the catalogue; a stored text
with facts inside by the template that it was made from, found by matching. What nobody knows is shown as it is.
"""

import gettext as catalogues
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from string import Formatter

from django.conf import settings
from django.utils.translation import get_language, gettext, to_locale

from console.errors import DomainError
from console.words import Sentence, beginning, render

Pattern = re.Pattern[str]
FEWEST_LETTERS = 6


def shown(said: object) -> str:
    """`said`: an error, a sentence, or a stored text."""
    text = said.message if isinstance(said, DomainError) else said if isinstance(said, str) else str(said)
    if isinstance(text, Sentence):
        return render(gettext(text.template), text.facts)
    if not text:
        return ""
    translated = gettext(text)
    return translated if translated != text else _by_template(text, to_locale(get_language() or settings.LANGUAGE_CODE)) or text


@lru_cache(maxsize=4096)
def _by_template(text: str, locale: str) -> str:
    """Empty where no template fits."""
    fixed, templates = _sentences(locale)
    if text in fixed:
        return fixed[text]
    for pattern, translated in templates:
        if found := pattern.fullmatch(text):
            return render(translated, found.groupdict())
    return ""


@cache
def _sentences(locale: str) -> tuple[dict[str, str], tuple[tuple[Pattern, str], ...]]:
    """What our catalogue has, and the beginnings of its sentences, which reports group faults by: those without facts, and templates, of
    which those that say most come first, so that the nearest one matches."""
    whole = {text: said for text, said in _catalogue(locale).items() if isinstance(text, str) and text and said}
    catalogue = {beginning(text): beginning(said) for text, said in whole.items()} | whole
    templates = {text: said for text, said in catalogue.items() if "{" in text and _is_template(text)}
    nearest = sorted(templates, key=lambda text: (-sum(len(fixed) for fixed, _field in _parts(text)), text))
    fixed = {text: said for text, said in catalogue.items() if text not in templates}
    return fixed, tuple((_pattern(text), templates[text]) for text in nearest)


def _catalogue(locale: str) -> Mapping[object, str]:
    found = catalogues.translation("django", settings.LOCALE_PATHS[0], [locale], fallback=True)
    entries: Mapping[object, str] = getattr(found, "_catalog", {})
    return entries


def _is_template(text: str) -> bool:
    """A few letters between facts ("{browser} on {system}") would match what nobody said; and not every brace is a fact."""
    try:
        parts = list(_parts(text))
    except ValueError:
        return False
    named = all(name.isidentifier() for _fixed, name in parts if name)
    return named and sum(letter.isalpha() for fixed, _name in parts for letter in fixed) >= FEWEST_LETTERS


def _pattern(template: str) -> Pattern:
    """A field that is named twice must hold the same both times."""
    seen: set[str] = set()
    pattern = ""
    for fixed, name in _parts(template):
        pattern += re.escape(fixed)
        if name:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
            seen.add(name)
    return re.compile(pattern, re.DOTALL)


def _parts(template: str) -> Iterator[tuple[str, str]]:
    """Each fixed text with the name of the field behind it, empty at the end."""
    for fixed, name, _spec, _conversion in Formatter().parse(template):
        yield fixed, name or ""
