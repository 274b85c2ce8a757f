"""The house stays small: sizes of files and functions, and who may read what."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for path in (ROOT / "brainscan").rglob("*.py") if "versions" not in path.parts)
"""Migrations (store/migrations/versions) follow alembic's form, not ours."""
MAX_FILE, MAX_FUNCTION, MAX_ARGUMENTS, MAX_METHODS = 500, 60, 8, 24
DOORS = {"cli"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def room(path: Path) -> str:
    return path.relative_to(ROOT / "brainscan").parts[0]


def length(node: ast.AST) -> int:
    return (node.end_lineno or 0) - node.lineno + 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_does_one_thing(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE
    for function in functions(path):
        assert length(function) <= MAX_FUNCTION, f"{function.name} has {length(function)} lines"
        arguments = [*function.args.args, *function.args.kwonlyargs]
        named = [a for a in arguments if a.arg not in ("self", "cls")]
        if room(path) not in DOORS:
            assert len(named) <= MAX_ARGUMENTS, f"{function.name} has {len(named)} arguments"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
            assert len(methods) <= MAX_METHODS, f"{node.name} has {len(methods)} methods"


def test_the_median_function_is_short() -> None:
    lengths = sorted(length(f) for path in FILES for f in functions(path))
    assert lengths[len(lengths) // 2] <= 12
    assert lengths[int(len(lengths) * 0.9)] <= 40


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_doors_print_and_only_the_clinic_reads_the_environment(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            assert room(path) in DOORS, f"line {node.lineno} prints"
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
            assert path.name == "environment.py", f"line {node.lineno} reads the environment"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_public_thing_says_what_it_is(path: Path) -> None:
    module = tree(path)
    assert ast.get_docstring(module), "the file does not say what it is"
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_no_file_is_a_drawer() -> None:
    drawers = {"utils.py", "helpers.py", "misc.py", "common.py", "util.py"}
    assert not [path for path in FILES if path.name in drawers]
