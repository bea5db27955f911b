"""The catalogue of Simplified Chinese: whole, compiled, and true to the texts that it translates."""

import ast
import re
from string import Formatter

import polib
import pytest

from console.management import catalogue
from console.management.texts import errors_of
from tests.house.source import ROOT, files, name, python_files, tree

FIELD = re.compile(r"%\(\w+\)[sd]|%[sd]")
TAG = re.compile(r"</?\w+[^>]*>")
OUR_TERMS = ("ProductKey", "ProductSecret", "DeviceName", "DeviceSecret", "ClientID", "DeviceToken")
SENTENCE = re.compile(r"[A-Z][a-z]* [a-z{].* .*\.")
PROSE = re.compile(r"""(["'`])[^"'`\n]*[A-Za-z]{2,} [a-z]{2,} [a-z]+[^"'`\n]*\1""")


@pytest.fixture(scope="module")
def entries() -> polib.POFile:
    return catalogue.read()


def said(entry: polib.POEntry) -> str:
    return str(entry.msgstr or entry.msgstr_plural.get(0, ""))


def test_the_catalogue_follows_the_texts(entries: polib.POFile) -> None:
    made = catalogue.merged(entries, catalogue.theirs() | catalogue.ours())
    assert {entry.msgid for entry in made} ^ {entry.msgid for entry in entries} == set(), "run `make messages`"


def test_every_text_is_translated(entries: polib.POFile) -> None:
    assert catalogue.untranslated(entries) == []


def test_the_compiled_catalogue_is_what_the_catalogue_compiles_to(entries: polib.POFile) -> None:
    assert catalogue.path().with_suffix(".mo").read_bytes() == entries.to_binary(), "run `make messages`"


def test_a_translation_has_the_facts_and_the_markup_of_its_text(entries: polib.POFile) -> None:
    """A plural's singular may leave a number out: the translation has what the plural has."""
    wrong = []
    for entry in entries:
        text, words = entry.msgid_plural or entry.msgid, said(entry)
        same = all(sorted(set(pattern.findall(text))) == sorted(set(pattern.findall(words))) for pattern in (FIELD, TAG))
        if words and not (same and fields(text) == fields(words)):
            wrong.append((text, words))
    assert not wrong


def fields(text: str) -> set[str]:
    """Names of the facts in braces; a text in braces that is no template has none."""
    try:
        return {field for _fixed, field, _spec, _conversion in Formatter().parse(text) if field}
    except ValueError:
        return set()


def test_names_of_the_field_stay_as_they_are(entries: polib.POFile) -> None:
    pairs = [(entry.msgid, said(entry)) for entry in entries if said(entry)]
    assert not [(text, words) for text, words in pairs for term in OUR_TERMS if term in text and term not in words]


def test_chinese_has_its_own_marks(entries: polib.POFile) -> None:
    """Half-width marks after a Chinese character, or no space between it and a Latin word, look careless."""
    careless = re.compile(r"[\u4e00-\u9fff](?:[,;:?!](?!\S)|[A-Za-z0-9])|[A-Za-z0-9][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?:\s|$)")
    assert not [said(entry) for entry in entries if careless.search(FIELD.sub("", re.sub(r"\{\w*(?::,)?\}", "", TAG.sub("", said(entry)))))]


def test_no_error_puts_its_sentence_together() -> None:
    """`say(...)` keeps the template that a translation needs; commands speak English alone."""
    errors = errors_of(map(tree, python_files("console", "products", "devices", "registration")))
    found = []
    for path in python_files("console", "products", "devices", "registration"):
        for node in ast.walk(tree(path)):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in errors
            if named and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], (ast.JoinedStr, ast.BinOp)):
                found.append(f"{name(path)}:{node.lineno}")
    assert not found


def test_what_is_said_of_certificates_is_translated_whole(entries: polib.POFile) -> None:
    """A sentence that goes through a function of its own or a table is found where it is marked by `say(...)`, and else nowhere."""
    known = {entry.msgid for entry in entries}
    found = []
    for path in python_files("console/crypto/certificates", "products/services", "products/rules"):
        nodes = list(ast.walk(tree(path)))
        documenting = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        said_there = [
            node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documenting
        ]
        found += [f"{name(path)}:{node.lineno}" for node in said_there if SENTENCE.fullmatch(node.value) and node.value not in known]
    assert not found


def test_scripts_hold_no_prose() -> None:
    """A script shows what its page gives it in data attributes: there it is translated."""
    scripts = [path for path in files(".js") if path.is_relative_to(ROOT / "static")]
    assert scripts
    code = {path: re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)|\s//\s.*", "", path.read_text(), flags=re.DOTALL) for path in scripts}
    assert not [(name(path), hit.group()) for path, text in code.items() if (hit := PROSE.search(text))]
