"""Every text of the console that a person reads, found where it is written: what `manage.py messages` puts into the catalogues.

In Python: calls of gettext and its kin, `say(...)`, the fixed sentences of DomainErrors (their `default_message` and their first
argument), and sentences passed into a path. In templates: what the tags translate, read by Django's own parser, so that it is found as
it will be asked for.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template import Engine, Template
from django.template.base import Lexer, Origin, TokenType
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.text import smart_split
from django.utils.translation import trim_whitespace

SINGULAR = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop", "say"})
PLURAL = frozenset({"ngettext", "ngettext_lazy"})
WITH_CONTEXT = frozenset({"pgettext", "pgettext_lazy"})
_MARKED = re.compile(r"""^_\((["'])(.*)\1\)""", re.DOTALL)


class NotLiteral(Exception):
    """A text that is put together at run time cannot be translated: it is written out where it is said, or in a name beside it."""


@dataclass(frozen=True, slots=True)
class Text:
    """As the catalogue keys it."""

    text: str
    plural: str = ""
    context: str = ""


def errors_of(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The names of all classes that descend from DomainError."""
    parents: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                parents.setdefault(node.name, set()).update(filter(None, map(_name, node.bases)))
    found = {"DomainError"}
    while more := {name for name, bases in parents.items() if bases & found} - found:
        found |= more
    return frozenset(found)


def in_python(tree: ast.Module, errors: frozenset[str]) -> Iterator[Text]:
    """Raises NotLiteral with the line."""
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _in_scope(scope, errors)
        elif isinstance(scope, ast.ClassDef):
            yield from _default_messages(scope)


def _in_scope(scope: ast.AST, errors: frozenset[str]) -> Iterator[Text]:
    """The calls of a function or a module, without those of the functions inside it."""
    calls, constants = [], {}
    for node in _own_nodes(scope):
        if isinstance(node, ast.Call):
            calls.append(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and (text := _literal(node.value)) is not None:
            constants[node.targets[0].id] = text
    for call in calls:
        yield from _said(call, constants, errors)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
            waiting = [*ast.iter_child_nodes(node), *waiting]
        else:
            waiting = [*node.decorator_list, *ast.iter_child_nodes(node.args), *waiting]


def _said(call: ast.Call, constants: dict[str, str], errors: frozenset[str]) -> Iterator[Text]:
    name = _name(call.func)
    words = [constants.get(arg.id) if isinstance(arg, ast.Name) else _literal(arg) for arg in call.args]
    if name in errors:
        yield from (Text(text) for text in words[:1] if text)
    elif name == "passed":
        yield from (Text(text) for text in words if text)
    elif name in SINGULAR and not _hands_on(call):
        yield Text(_given(words, 0, call))
    elif name in PLURAL:
        yield Text(_given(words, 0, call), plural=_given(words, 1, call))
    elif name in WITH_CONTEXT:
        yield Text(_given(words, 1, call), context=_given(words, 0, call))


def _default_messages(scope: ast.ClassDef) -> Iterator[Text]:
    for node in scope.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == "default_message" and isinstance(node, (ast.Assign, ast.AnnAssign)):
            text = _literal(node.value)
            yield from [Text(text)] if text else []


def _hands_on(call: ast.Call) -> bool:
    """gettext(sentence.template): what was marked elsewhere. And a method that is called like one of the functions."""
    handed_on = isinstance(call.args[0], (ast.Name, ast.Attribute)) and _name(call.func) != "say" if call.args else True
    return handed_on or isinstance(call.func, ast.Attribute)


def _given(words: list[str | None], index: int, call: ast.Call) -> str:
    text = words[index] if index < len(words) else None
    if text is None:
        raise NotLiteral(f"line {call.lineno}: {ast.unparse(call)[:80]}")
    return text


def _literal(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def in_template(source: str, path: Path) -> Iterator[Text]:
    """Raises TemplateSyntaxError."""
    template = Template(source, Origin(str(path)), engine=Engine.get_default())
    nodes: list[Any] = template.nodelist.get_nodes_by_type((TranslateNode, BlockTranslateNode))  # type: ignore[arg-type]
    for node in nodes:
        context = node.message_context.resolve({}) if node.message_context else ""
        if isinstance(node, BlockTranslateNode):
            yield Text(_block(node, node.singular), plural=_block(node, node.plural) if node.plural else "", context=context)
        elif isinstance(node.filter_expression.var.literal, str):
            yield Text(node.filter_expression.var.literal, context=context)
    yield from _marked(source)


def _block(node: Any, tokens: Any) -> str:
    text: str = node.render_token_list(tokens)[0]
    return trim_whitespace(text) if node.trimmed else text


def _marked(source: str) -> Iterator[Text]:
    """`_("...")` inside a tag or a variable."""
    for token in Lexer(source).tokenize():
        if token.token_type in (TokenType.VAR, TokenType.BLOCK):
            for bit in smart_split(token.contents):
                for part in re.split(r"[|=:](?=_\()", bit):
                    if found := _MARKED.match(part):
                        yield Text(found[2])
