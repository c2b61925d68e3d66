"""Querysets that are built and compiled once and then run with other values.

Evaluation asks the same few questions of every learner. Django spends more time on building each
of them anew than PostgreSQL on the answer, so the text is kept, with slots for what changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import BooleanField, Expression, F, QuerySet
from django.db.models.sql.compiler import SQLCompiler


@dataclass(frozen=True)
class _Slot:
    """Where a list of values goes."""

    name: str


class Among(Expression):
    """The condition that a column's value is among those of a slot."""

    output_field: Any = BooleanField()
    conditional = True

    def __init__(self, column: str, slot: str) -> None:
        super().__init__()
        self.column: Any = F(column)
        self.slot: Final = _Slot(slot)

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Any) -> None:
        [self.column] = exprs

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Any:
        sql, params = compiler.compile(self.column)
        return f"{sql} = ANY(%s)", (*params, self.slot)


class Prepared:
    """A queryset of tuples with slots.

    Its rows come as the driver reads them: JSON columns are text.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._build = build
        self._compiled: tuple[str, tuple[Any, ...]] | None = None

    def rows(self, **values: Collection[Any]) -> list[tuple[Any, ...]]:
        """Return the rows for these values, one list of them for each slot: one statement."""
        if self._compiled is None:
            self._compiled = self._build().query.sql_with_params()
        sql, params = self._compiled
        given = [list(values[p.name]) if isinstance(p, _Slot) else p for p in params]
        with connection.cursor() as cursor:
            cursor.execute(sql, given)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
