"""Which differences between models ask for a migration."""

from __future__ import annotations

import pytest
from django.db import models
from django.db.migrations.state import ModelState, ProjectState
from django.utils.translation import gettext_lazy

from apps.core.autodetector import NamelessAutodetector


def states(old: models.Field, new: models.Field, **options: str) -> tuple[ProjectState, ...]:
    before, after = ProjectState(), ProjectState()
    key = models.UUIDField(primary_key=True)
    before.add_model(ModelState("things", "Thing", [("id", key), ("word", old)]))
    after.add_model(ModelState("things", "Thing", [("id", key), ("word", new)], options))
    return before, after


def changes(old: models.Field, new: models.Field, **options: str) -> list[str]:
    found = NamelessAutodetector(*states(old, new, **options))._detect_changes()
    return [
        type(operation).__name__
        for migration in found.get("things", [])
        for operation in migration.operations
    ]


@pytest.mark.parametrize(
    "new",
    [
        models.CharField("a better word", max_length=5, choices=[("a", "A")]),
        models.CharField(max_length=5, choices=[("a", gettext_lazy("Something else"))]),
        models.CharField(max_length=5, choices=[("a", "A")], help_text="Choose well."),
    ],
)
def test_a_better_name_needs_no_migration(new: models.Field) -> None:
    assert changes(models.CharField(max_length=5, choices=[("a", "A")]), new) == []


def test_a_better_name_of_a_model_needs_no_migration() -> None:
    field = models.CharField(max_length=5)

    assert changes(field, field, verbose_name="a thing", verbose_name_plural="things") == []


@pytest.mark.parametrize(
    "new",
    [
        models.CharField(max_length=6, choices=[("a", "A")]),
        models.CharField(max_length=5, choices=[("a", "A"), ("b", "B")]),
        models.CharField(max_length=5, choices=[("a", "A")], null=True),
    ],
)
def test_a_difference_of_the_table_or_its_values_needs_one(new: models.Field) -> None:
    old = models.CharField(max_length=5, choices=[("a", "A")])

    assert changes(old, new) == ["AlterField"]
