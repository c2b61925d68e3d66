"""Appending to a line of revisions, where a race of two writers has one winner."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from apps.core.models import RevisionModel
from apps.core.problems import Conflict

Row = TypeVar("Row", bound=RevisionModel)


class RevisionConflict(Conflict):
    code = "revision-conflict"
    title = "Somebody else changed this in the meantime."


def append_revision(model: type[Row], /, *, expected: int, **fields: Any) -> Row:
    """Return the new row, revision `expected + 1` (`expected` = 0: the subject's first).

    Raises RevisionConflict when the subject's current revision is not the one the writer saw.
    """
    try:
        with transaction.atomic():
            row = model(revision=expected + 1, **fields)
            row.save(force_insert=True)
            return row
    except IntegrityError as error:
        if not is_revision_race(error, model):
            raise
        raise RevisionConflict(expected_revision=expected) from error


def is_revision_race(error: IntegrityError, model: type[RevisionModel]) -> bool:
    """Whether this violation is of the model's UNIQUE(subject, revision)."""
    expected = {*model.subject_fields, "revision"}
    names = [
        constraint.name
        for constraint in model._meta.constraints
        if set(getattr(constraint, "fields", ())) == expected
    ]
    return violates(error, *names)


def violates(error: IntegrityError, *constraints: str) -> bool:
    """Whether the database refused because of one of these constraints.

    Names are compared by prefix: a sharded PostgreSQL appends the shard's number.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    name = getattr(diagnostics, "constraint_name", None) or ""
    return any(name.startswith(constraint) for constraint in constraints)
