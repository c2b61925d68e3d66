"""What the database refused, told as a problem: the last line also answers precisely."""

from __future__ import annotations

from django.db.models import ProtectedError, RestrictedError
from django.db.utils import DatabaseError
from psycopg import errors

from apps.core.constraints import sentence
from apps.core.problems import Conflict, Invalid, Problem


class Frozen(Conflict):
    code = "frozen"
    title = "This is published or part of the history: it can't be changed."


class Duplicate(Conflict):
    code = "duplicate"
    title = "There is such a thing already."


class StillReferred(Conflict):
    code = "still-referred"
    title = "Something refers to this, or this refers to something that is not there."


class RuleBroken(Invalid):
    code = "rule-broken"
    title = "This breaks a rule of the data."


class OutOfRange(Invalid):
    code = "out-of-range"
    title = "A value is beyond what can be stored."


class Busy(Conflict):
    code = "busy"
    title = "Somebody else is changing this at the moment. Try again."


REFUSALS: dict[type[BaseException], type[Problem]] = {
    errors.RestrictViolation: Frozen,
    errors.UniqueViolation: Duplicate,
    errors.ExclusionViolation: Duplicate,
    errors.ForeignKeyViolation: StillReferred,
    errors.CheckViolation: RuleBroken,
    errors.NotNullViolation: RuleBroken,
    errors.NumericValueOutOfRange: OutOfRange,
    errors.DatetimeFieldOverflow: OutOfRange,
    errors.StringDataRightTruncation: OutOfRange,
    errors.LockNotAvailable: Busy,
    errors.DeadlockDetected: Busy,
}


def refused_by_database(error: DatabaseError) -> Problem | None:
    """Return the problem behind a refusal of the database, or None for a fault of ours."""
    if isinstance(error, ProtectedError | RestrictedError):
        return StillReferred()
    cause = error.__cause__
    described = REFUSALS.get(type(cause)) if cause is not None else None
    if described is None:
        return None
    told = getattr(cause, "diag", None)
    rule = getattr(told, "constraint_name", None) or ""
    table = getattr(told, "table_name", None) or ""
    column = getattr(told, "column_name", None) or ""
    detail = sentence(rule, table=table, column=column)
    return described(detail, rule=rule) if rule else described(detail)
