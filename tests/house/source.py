"""The project's own files, as the ratchets see them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("console", "products", "devices", "registration")
FOLDERS = (*APPS, "tests", "bench", "docs", ".requirements", "templates", "static", ".ci")
DERIVED = {"__pycache__", "locale", "sdk-environment"}


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Every text file of the project, or those with one of the suffixes; migrations are left out, they are generated."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file() and not DERIVED & set(path.parts)]
    found += [path for path in ROOT.iterdir() if path.is_file()]
    return tuple(sorted(path for path in found if (not suffixes or path.suffix in suffixes) and "migrations" not in path.parts))


def python_files(*under: str) -> list[Path]:
    return [path for path in files(".py") if not under or any(path.is_relative_to(ROOT / folder) for folder in under)]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports, functions included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
