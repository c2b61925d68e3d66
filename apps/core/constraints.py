"""A constraint of the database as a sentence: its name says its rule, so that says it too."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

from django.apps import apps
from django.db import models


def sentence(name: str, *, table: str = "", column: str = "") -> str:
    """Return what a refused constraint asks for; `table` and `column` as the database tells them.

    A sharded PostgreSQL appends the shard's number to names: the longest known prefix counts.
    """
    model = _model_of(table)
    if column and not name:
        return f"“{_label(model, column)}” of {_one(model)} is missing."
    constraint = _constraint(name)
    if constraint is not None:
        return told(*constraint)
    single = _single_field(model, name)
    if model is not None and single is not None:
        if single.is_relation:
            return f"It is about “{single.verbose_name}” of {_one(model)}."
        if single.unique:
            return _taken(model, [single.name])
    return _rule(name.replace("_", " "))


def told(model: type[models.Model], constraint: models.BaseConstraint) -> str:
    """Return one constraint of a model as a sentence."""
    if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
        return _taken(model, constraint.fields)
    words = constraint.name.replace("_", " ")
    return _rule(words.replace(str(model._meta.model_name), str(model._meta.verbose_name), 1))


def in_words(
    constraints: Sequence[tuple[type[models.Model], Sequence[models.BaseConstraint]]],
) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
    """Return copies of models' constraints whose violation is told as a sentence."""
    return [
        (model, [_in_words(model, constraint) for constraint in kept])
        for model, kept in constraints
    ]


def _in_words(
    model: type[models.Model], constraint: models.BaseConstraint
) -> models.BaseConstraint:
    if constraint.violation_error_message != constraint.default_violation_error_message:
        return constraint
    worded = copy.copy(constraint)
    worded.violation_error_message = told(model, constraint).replace("%", "%%")
    return worded


def _rule(words: str) -> str:
    return f"This would break the rule “{words}”." if words else ""


def _taken(model: type[models.Model], fields: Iterable[str]) -> str:
    labels = {field.name: str(field.verbose_name) for field in model._meta.concrete_fields}
    *others, last = [labels[name] for name in fields]
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"There is {_one(model)} with the same {listed} already."


def _one(model: type[models.Model] | None) -> str:
    if model is None:
        return "this"
    name = str(model._meta.verbose_name)
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def _label(model: type[models.Model] | None, column: str) -> str:
    found = (
        [field for field in model._meta.concrete_fields if field.column == column] if model else []
    )
    return str(found[0].verbose_name) if found else column


def _model_of(table: str) -> type[models.Model] | None:
    found = [model for model in apps.get_models() if model._meta.db_table == table]
    return found[0] if table and found else None


def _constraint(name: str) -> tuple[type[models.Model], models.BaseConstraint] | None:
    found = [
        (model, constraint)
        for model in apps.get_models(include_auto_created=True)
        for constraint in model._meta.constraints
        if name.startswith(constraint.name)
    ]
    return max(found, key=lambda pair: len(pair[1].name), default=None)


def _single_field(
    model: type[models.Model] | None, name: str
) -> models.Field[object, object] | None:
    """Return the field that Django's generated name of a constraint is about, or None."""
    if model is None or not name.startswith(model._meta.db_table):
        return None
    rest = name.removeprefix(model._meta.db_table).lstrip("_")
    found = [field for field in model._meta.concrete_fields if rest.startswith(str(field.column))]
    return max(found, key=lambda field: len(str(field.column)), default=None)
