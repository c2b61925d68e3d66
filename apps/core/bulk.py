"""Many rows at once: by COPY, at about a tenth of what INSERT costs Django and the driver.

`insert_many` takes model instances. For tens of thousands of rows these cost more than
everything else: `insert_values` and `update_values` take plain values instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import NOT_PROVIDED
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

from apps.core.tenancy import connection

Row = TypeVar("Row", bound=models.Model)
Item = TypeVar("Item")

FEW = 100
"""Below this an INSERT is as quick, and it reads back what the database filled in."""


def insert_many(model: type[Row], rows: Iterable[Row]) -> list[Row]:
    """Return the rows, stored: all of them or, raising IntegrityError, none.

    Ids are made in Python. Columns that the database fills are read when somebody asks for them.
    """
    new = list(rows)
    if len(new) < FEW:
        return model._default_manager.bulk_create(new)
    filled = [field for field in model._meta.concrete_fields if _is_filled(field, new)]
    fields = [field for field in model._meta.concrete_fields if field not in filled]
    with transaction.atomic(), connection.wrap_database_errors:
        _copy(model, fields, new)
    for row in new:
        row._state.adding = False
        row._state.db = connection.alias
        for field in filled:
            row.__dict__.pop(field.attname, None)
    return new


def insert_values(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    **same: Any,
) -> int:
    """Store rows given as values of the attributes `names`; return how many, all or none.

    `same` holds what is alike in every row. An id that is not given is made; other attributes
    have their default, from the database where it has one. Raises IntegrityError.
    """
    given = {*names, *same}
    fields = {field.attname: field for field in model._meta.concrete_fields}
    key = fields[model._meta.pk.attname]
    for name, field in fields.items():
        if name not in given and field is not key and field.db_default is NOT_PROVIDED:
            same[name] = field.get_default()
    makes_key = key.attname not in given
    columns = [*([key.attname] if makes_key else []), *names, *same]
    shared = tuple(_prepared(fields[name], value) for name, value in same.items())
    documents = [
        place for place, name in enumerate(names) if isinstance(fields[name], models.JSONField)
    ]
    statement = _copy_statement(model, [fields[name] for name in columns])
    count = 0
    with (
        transaction.atomic(savepoint=False),
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            if documents:
                row = _with_documents(row, documents, fields, names)
            made = (key.get_default(),) if makes_key else ()
            copy.write_row((*made, *row, *shared))
            count += 1
    return count


def update_values(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Set the attributes `names` of the rows whose id stands before them; return how many.

    One statement for any number. No JSON. Raises IntegrityError.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return 0
    fields = {field.attname: field for field in model._meta.concrete_fields}
    key = model._meta.pk
    assert key is not None  # noqa: S101 - every model has one
    sets = [fields[name] for name in names]
    statement = sql.SQL(
        "UPDATE {table} SET {sets} FROM unnest({arrays}) AS new ({columns})"
        " WHERE {table}.{key} = new.{key}"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        key=sql.Identifier(str(key.column)),
        sets=sql.SQL(", ").join(
            sql.SQL("{0} = new.{0}").format(sql.Identifier(str(field.column))) for field in sets
        ),
        arrays=sql.SQL(", ").join(sql.SQL(f"%s::{_array(field)}") for field in (key, *sets)),
        columns=sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in (key, *sets)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in columns])
        count: int = cursor.rowcount
    return count


def batches(rows: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the rows, in order, in lists of `size`; the last may be shorter."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch


def _prepared(field: models.Field[Any, Any], value: Any) -> Any:
    """Return a value as COPY writes it: documents as text, made once."""
    if isinstance(field, models.JSONField) and value is not None:
        return json.dumps(value, cls=field.encoder)
    return value


def _with_documents(
    row: Sequence[Any],
    places: Iterable[int],
    fields: dict[str, models.Field[Any, Any]],
    names: Sequence[str],
) -> list[Any]:
    values = list(row)
    for place in places:
        values[place] = _prepared(fields[names[place]], values[place])
    return values


def _array(field: models.Field[Any, Any]) -> str:
    """Return the array type of a column; without a length, to which a cast would cut."""
    return f"{(field.db_type(connection) or '').partition('(')[0]}[]"


def _is_filled(field: models.Field[Any, Any], rows: list[Any]) -> bool:
    """Whether the database fills this column; either for all of the rows or for none."""
    if field.db_default is NOT_PROVIDED:
        return False
    left = sum(isinstance(row.__dict__[field.attname], DatabaseDefault) for row in rows)
    if left not in (0, len(rows)):
        raise ValueError(f"{field} is given for some of the rows only.")
    return left > 0


def _copy_statement(
    model: type[models.Model], fields: Iterable[models.Field[Any, Any]]
) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
    )


def _copy(model: type[Any], fields: list[models.Field[Any, Any]], rows: list[Any]) -> None:
    plain = [field.attname for field in fields]
    documents = [
        (place, field) for place, field in enumerate(fields) if isinstance(field, models.JSONField)
    ]
    statement = _copy_statement(model, fields)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = [getattr(row, name) for name in plain]
            for place, field in documents:
                values[place] = field.get_db_prep_save(values[place], connection)
            copy.write_row(values)
