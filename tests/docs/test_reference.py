"""docs/reference says what the code says."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.apps import apps
from django.core import management
from django.core.management import find_commands, get_commands

from tests.docs.sources import ROOT
from tests.docs.tables import GENERATED, names_in, pages, problem_classes, with_tables

REFERENCE = ROOT / "docs" / "reference"
LAUNCHER_ONLY = {"ASSAY_VAR", "NO_COLOR", "PYTHON"}
"""Variables that `make` and the launcher read; the settings never see them."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_tables_are_as_the_code_has_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert with_tables(text) == text, "Out of date: run `make docs`."


def test_every_table_stands_in_one_page() -> None:
    standing = [name for page in pages() for name in names_in(page.read_text(encoding="utf-8"))]

    assert sorted(standing) == sorted(GENERATED)


def test_a_problem_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = defaultdict(set)
    for kind in problem_classes():
        statuses[kind.code].add(kind.status)

    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_settings_names_every_variable_with_its_default() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]*) \|", page, re.MULTILINE)

    assert {name: default.strip() for name, default in rows if name not in LAUNCHER_ONLY} == {
        **_variables_of_settings(),
        **_variables_of_the_procfile(),
    }


def _variables_of_settings() -> dict[str, str]:
    """Return name -> default, as the page writes it, of what settings.py reads."""
    found: dict[str, str] = {}
    tree = ast.parse((ROOT / "config" / "settings.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = ast.unparse(node.func)
        if called == "required":
            found[ast.literal_eval(node.args[0])] = "required"
        elif called.startswith("env."):
            defaults = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
            for name in _names(node.args[0]):
                found[name] = _written(defaults[0])
    return found


def _names(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.IfExp):
        return [*_names(argument.body), *_names(argument.orelse)]
    return [argument.value] if isinstance(argument, ast.Constant) else []


def _written(default: ast.expr) -> str:
    if isinstance(default, ast.Constant):
        return f"`{default.value}`" if default.value != "" else "none"
    if isinstance(default, ast.List):
        return f"`{','.join(ast.literal_eval(default))}`"
    if isinstance(default, ast.IfExp):
        return f"{_written(default.orelse)}; with `DEVELOPMENT` {_written(default.body)}"
    return "computed"


def _variables_of_the_procfile() -> dict[str, str]:
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    return {name: f"`{value}`" for name, value in re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", procfile)}


def test_database_names_every_trigger_and_function_of_the_migrations() -> None:
    page = (REFERENCE / "database.md").read_text(encoding="utf-8")
    source = "\n".join(
        file.read_text(encoding="utf-8")
        for file in [*ROOT.glob("apps/*/migrations/*.py"), ROOT / "apps/core/walls.py"]
    )
    created = set(re.findall(r"CREATE(?: OR REPLACE)? TRIGGER ([a-z_]+)", source))
    created |= set(re.findall(r'_trigger\("([a-z_]+)"', source))

    assert {name for name in created if f"`{name}`" not in page} == set()


def test_glossary_has_every_model_of_ours() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    ours = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith("apps.") and not model._meta.proxy
    }

    assert set(re.findall(r"`([a-z_]+\.[A-Z][A-Za-z]+)`", page)) == ours


def test_readme_names_every_command_of_ours() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    djangos = set(find_commands(management.__path__[0]))
    ours = {name for name, app in get_commands().items() if app.startswith("apps.")} - djangos

    assert set(re.findall(r"^\| `manage\.py ([a-z_]+)", page, re.MULTILINE)) == ours


def test_makefile_targets_stand_in_the_readme() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*?## ", makefile, re.MULTILINE)) - {"help"}

    assert set(re.findall(r"^\| `make ([a-z-]+)", page, re.MULTILINE)) == targets
