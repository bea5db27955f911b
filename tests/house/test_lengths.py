"""Files and functions stay short. The aim is far below: a file of 60 to 150 lines, a function under 15."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import files, name, python_files, tree

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LONGEST_LINE = 140
SOURCE = (".py", ".html", ".js", ".css", ".sh")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_file_is_longer_than_a_reader_s_patience() -> None:
    found = {name(path): lines for path in files(*SOURCE) if (lines := len(path.read_text().splitlines())) > LONGEST_FILE}
    assert not found


def test_no_function_is_longer_than_a_page() -> None:
    found = [f"{name(path)}:{function.name} {length(function)}" for path in python_files() for function in functions(path)
             if length(function) > LONGEST_FUNCTION]  # fmt: skip
    assert not found


def test_the_ratchet_sees_the_source() -> None:
    assert len(python_files("console")) > 20
    assert any(length(function) > 10 for path in python_files("devices") for function in functions(path))
