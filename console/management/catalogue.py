"""The catalogue of a language (locale/zh_Hans/LC_MESSAGES/django.po): brought up to the texts that are there, and compiled.

polib does the writing, so that neither developers nor `make run` need GNU gettext; it is one of the developers' dependencies.
"""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import polib
from django.conf import settings
from django.template import TemplateSyntaxError

from console.management.texts import NotLiteral, Text, errors_of, in_python, in_template

LOCALE = "zh_Hans"
ROOMS = ("console", "products", "devices", "registration")
LIBRARIES = ("unfold", "import_export", "axes", "django_otp")
"""Whose pages and messages operators see; what they bring no translation for is translated by us."""
METADATA = {
    "Project-Id-Version": "Nameplate",
    "Language": LOCALE,
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}

Found = dict[Text, list[str]]
"""Each text with the files that say it."""


def path() -> Path:
    return _locale() / LOCALE / "LC_MESSAGES" / "django.po"


def ours() -> Found:
    """Raises NotLiteral with its file, or TemplateSyntaxError."""
    base = _locale().parent
    files = sorted(file for room in ROOMS for file in (base / room).rglob("*.py") if "migrations" not in file.parts)
    trees = {file: ast.parse(file.read_text()) for file in files}
    errors = errors_of(trees.values())
    found: Found = {}
    for file, tree in trees.items():
        place = file.relative_to(base).as_posix()
        try:
            _add(found, in_python(tree, errors), place)
        except NotLiteral as error:
            raise NotLiteral(f"{place}, {error}") from None
    for file in sorted((base / "templates").rglob("*.html")):
        _add(found, in_template(file.read_text(), file), file.relative_to(base).as_posix())
    return found


def theirs() -> Found:
    """Texts of the libraries that neither they nor Django have in this language."""
    found: Found = {}
    djangos = _translated(_folder("django"))
    for library in LIBRARIES:
        known = djangos | _translated(_folder(library))
        for file in sorted(_folder(library).rglob("*.py")):
            _add(found, _readable(in_python(ast.parse(file.read_text()), frozenset()), known), library)
        for file in sorted(_folder(library).rglob("*.html")):
            _add(found, _readable(in_template(file.read_text(), file), known), library)
    return found


def merged(catalogue: polib.POFile, found: Found) -> polib.POFile:
    """The texts that are found, in the order of their files, with the translations that there are; what nobody says any more goes."""
    known = {(entry.msgctxt or "", entry.msgid): entry for entry in catalogue}
    made = polib.POFile(wrapwidth=140)
    made.metadata = dict(METADATA)
    for text, places in sorted(found.items(), key=lambda item: (item[1][0], item[0].text)):
        old = known.get(_key(text))
        entry = polib.POEntry(msgid=text.text, msgctxt=text.context or None, occurrences=[(place, "") for place in places[:3]])
        if text.plural:
            entry.msgid_plural = text.plural
            entry.msgstr_plural = {0: (old.msgstr_plural.get(0, "") or old.msgstr) if old else ""}
        else:
            entry.msgstr = old.msgstr or old.msgstr_plural.get(0, "") if old else ""
        made.append(entry)
    return made


def read() -> polib.POFile:
    return polib.pofile(str(path()), wrapwidth=140) if path().exists() else polib.POFile()


def write(catalogue: polib.POFile) -> None:
    """Both forms; the compiled one is kept in the repository, so that nobody has to make it before the first start."""
    path().parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path()))
    path().with_suffix(".mo").write_bytes(catalogue.to_binary())


def untranslated(catalogue: polib.POFile) -> list[str]:
    return [entry.msgid for entry in catalogue if not (entry.msgstr or entry.msgstr_plural.get(0)) or entry.fuzzy]


def _add(found: Found, texts: Iterator[Text], place: str) -> None:
    """A text that stands somewhere with a plural has one entry, with it."""
    for text in texts:
        alone = Text(text.text, context=text.context)
        if text.plural and alone in found:
            found[text] = found.pop(alone)
        same = next((one for one in (text, *_plurals(found, alone)) if one in found), text)
        places = found.setdefault(same, [])
        if place not in places:
            places.append(place)


def _plurals(found: Found, alone: Text) -> list[Text]:
    return [one for one in found if one.plural and one.text == alone.text and one.context == alone.context]


def _readable(texts: Iterator[Text], known: set[tuple[str, str]]) -> Iterator[Text]:
    """What a library says and nobody has translated; its templates for other libraries, which are not here, do not concern us."""
    try:
        yield from (text for text in texts if _key(text) not in known)
    except (NotLiteral, TemplateSyntaxError):
        return


def _translated(folder: Path) -> set[tuple[str, str]]:
    files = folder.rglob(f"{LOCALE}/LC_MESSAGES/django.mo")
    return {(entry.msgctxt or "", entry.msgid) for file in files for entry in polib.mofile(str(file))}


def _folder(library: str) -> Path:
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        raise LookupError(library)
    return Path(spec.origin).parent


def _locale() -> Path:
    return Path(settings.LOCALE_PATHS[0])


def _key(text: Text) -> tuple[str, str]:
    return text.context, text.text
