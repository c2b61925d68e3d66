"""Codes and their sentences, as the source states them side by side."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

_CODE = re.compile(r"[a-z]+(-[a-z]+)*\Z")


def codes_of(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """Return every (code, sentence) that these files state, sorted; `…` stands for a value.

    A code is a kebab-case word directly before a sentence, in a call or a tuple.
    """
    found = set()
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(_codes_in(ast.parse(file.read_text(encoding="utf-8"))))
    return sorted(found)


def _codes_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef):
            for node in ast.walk(scope):
                parts = _parts(node)
                for code, sentence in pairwise(parts):
                    yield from _stated(code, sentence, scope)


def _parts(node: ast.AST) -> Sequence[ast.expr]:
    if isinstance(node, ast.Call):
        return node.args
    return node.elts if isinstance(node, ast.Tuple) else ()


def _stated(
    code: ast.expr, sentence: ast.expr, scope: ast.FunctionDef
) -> Iterator[tuple[str, str]]:
    word = _text(code)
    if word is None or not _CODE.match(word):
        return
    if isinstance(sentence, ast.Name):
        sentence = _assigned(sentence, scope) or sentence
    told = _text(sentence)
    if told is not None and " " in told.strip():
        yield word, told


def _assigned(name: ast.Name, scope: ast.FunctionDef) -> ast.expr | None:
    """Return what the variable was last given before it is used."""
    given = [
        (node.lineno, node.value)
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        and node.lineno < name.lineno
        and any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets)
    ]
    return max(given, key=lambda one: one[0])[1] if given else None


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    return None
