"""Importing an uploaded roster: asked for in a request, carried out by a worker.

The file goes to the object store, a row of `roster_imports` and the work that is owed are written
in one transaction. The worker does all of it in one transaction: killed, it leaves nothing, and
whoever takes the message next begins anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from apps.cohorts.models import (
    UNFINISHED,
    Cohort,
    CohortStatus,
    ImportStatus,
    RosterImport,
    RosterImportRow,
)
from apps.cohorts.roster.reader import read_roster, roster_fault
from apps.cohorts.roster.records import RowProblem
from apps.cohorts.services.enrollments import NotOpenForEnrolment
from apps.cohorts.services.imports import (
    RosterRaced,
    RowOutcome,
    carry_out,
    counts_of,
    outcomes,
)
from apps.contacts.models import Contact
from apps.contacts.services import ContactGone
from apps.core.bulk import insert_values
from apps.core.ids import uuid7
from apps.core.outbox import owe
from apps.core.problems import Conflict, Invalid, Problem
from apps.core.tenancy import aside, connection

IMPORT = "cohorts.import_roster"
FORGET = "cohorts.forget_roster"
KEPT_FOR = timedelta(hours=24)
ASK_AGAIN_AFTER = timedelta(hours=1)


class RosterUnreadable(Invalid):
    code = "roster-unreadable"
    title = "Nothing of this roster can be used."


class RosterGone(Conflict):
    code = "roster-gone"
    title = "This roster is no longer kept: choose the file again."


class NotTried(Conflict):
    code = "roster-not-tried"
    title = "Only a trial that has ended well can be confirmed."


@transaction.atomic
def request_import(
    *,
    cohort: Cohort,
    filename: str,
    data: bytes,
    is_dry_run: bool,
    actor: Contact | None,
    at: datetime,
    class_id: str = "",
    encoding: str = "",
) -> RosterImport:
    """Return the import, or its trial, that a worker now owes.

    Raises NotOpenForEnrolment, and RosterUnreadable for what the beginning of the file shows;
    what its rows show is in the import's report.
    """
    _demand_open(cohort)
    filename = filename[-200:]
    fault = roster_fault(data, filename, encoding=encoding or None)
    if fault is not None:
        raise _unreadable([fault])
    folder = f"rosters/{connection.schema_name}"
    return _owe(
        RosterImport(
            cohort=cohort,
            requested_by=actor,
            is_dry_run=is_dry_run,
            filename=filename,
            class_id=class_id,
            asked_encoding=encoding,
            object_name=default_storage.save(f"{folder}/{uuid7()}", ContentFile(data)),
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
        ),
        at,
    )


@transaction.atomic
def confirm_import(*, trial: RosterImport, actor: Contact | None, at: datetime) -> RosterImport:
    """Return the import of a file that was tried: the same one however often it is confirmed.

    Raises NotTried, RosterGone once the file is forgotten, NotOpenForEnrolment.
    """
    trial = RosterImport.objects.select_for_update(of=("self",), no_key=True).get(pk=trial.pk)
    confirmed = RosterImport.objects.filter(confirms=trial).first()
    if confirmed is not None:
        return confirmed
    if not trial.is_dry_run or trial.status != ImportStatus.DONE:
        raise NotTried
    if not trial.object_name:
        raise RosterGone
    _demand_open(trial.cohort)
    return _owe(
        RosterImport(
            cohort=trial.cohort,
            requested_by=actor,
            is_dry_run=False,
            confirms=trial,
            filename=trial.filename,
            class_id=trial.class_id,
            asked_encoding=trial.asked_encoding,
            object_name=trial.object_name,
            sha256=trial.sha256,
            size_bytes=trial.size_bytes,
        ),
        at,
    )


def _owe(asked: RosterImport, at: datetime) -> RosterImport:
    asked.save(force_insert=True)
    owe(IMPORT, str(asked.id))
    if asked.is_dry_run:
        owe(FORGET, str(asked.id), available_at=at + KEPT_FOR)
    return asked


def _demand_open(cohort: Cohort) -> None:
    if cohort.status != CohortStatus.OPEN:
        raise NotOpenForEnrolment(detail=f"“{cohort.title}” is {cohort.status}.")


def carry_out_import(*, import_id: UUID, at: datetime) -> RosterImport:
    """Return the import, done or failed for a reason that trying again would not change.

    One that is finished is returned as it is. Raises RosterRaced and ContactGone, of which
    another try makes sense.
    """
    asked = RosterImport.objects.select_related("cohort", "requested_by").get(pk=import_id)
    if asked.is_finished:
        return asked
    try:
        with transaction.atomic():
            found = _carry_out(asked, at)
    except (RosterRaced, ContactGone):
        raise
    except Problem as problem:
        found = {"status": ImportStatus.FAILED, "problem": problem.as_dict()}
    for name, value in found.items():
        setattr(asked, name, value)
    asked.finished_at = at
    asked.save(update_fields=[*found, "finished_at"])
    if not asked.is_dry_run:
        owe(FORGET, str(asked.id))
    return asked


def _carry_out(asked: RosterImport, at: datetime) -> dict[str, Any]:
    """Import the rows and store their report; return what else the import is to know."""
    roster = read_roster(_data(asked), asked.filename, encoding=asked.asked_encoding or None)
    if roster.failed:
        raise _unreadable(roster.problems)
    with transaction.atomic(), _progress(asked, total=len(roster.rows), at=at) as progress:
        lines = carry_out(
            cohort=asked.cohort,
            roster=roster,
            class_id=asked.class_id,
            actor=asked.requested_by,
            at=at,
            progress=progress,
        )
        if asked.is_dry_run:
            transaction.set_rollback(True)
    told = list(outcomes(roster, lines))
    _store_report(asked, told)
    return {
        "status": ImportStatus.DONE,
        "rows_total": len(told),
        "rows_done": len(told),
        "format": roster.source.value if roster.source else "",
        "encoding": (roster.encoding or "")[:100],
        "encoding_guessed": roster.encoding_guessed,
        "counts": counts_of(outcome.outcome for outcome in told),
    }


def _data(asked: RosterImport) -> bytes:
    try:
        with default_storage.open(asked.object_name) as file:
            data: bytes = file.read()
    except (FileNotFoundError, ValueError) as error:
        raise RosterGone from error
    return data


def _unreadable(problems: Iterable[RowProblem]) -> RosterUnreadable:
    return RosterUnreadable(
        errors=[
            {"field": problem.column or "", "code": problem.code, "message": problem.message}
            for problem in problems
        ]
    )


@contextmanager
def _progress(asked: RosterImport, *, total: int, at: datetime) -> Iterator[Callable[[int], None]]:
    """Yield what tells everybody at once how many rows are done, on a connection of its own."""
    with aside() as other:

        def tell(**values: Any) -> None:
            sets = ", ".join(f"{name} = %s" for name in values)
            with other.cursor() as cursor:
                cursor.execute(
                    f"UPDATE roster_imports SET {sets} WHERE id = %s",  # noqa: S608 - our names
                    [*values.values(), asked.id],
                )

        tell(status=ImportStatus.RUNNING.value, started_at=at, rows_total=total, rows_done=0)
        yield lambda done: tell(rows_done=done)


def _store_report(asked: RosterImport, told: Iterable[RowOutcome]) -> None:
    columns = ("position", "file", "line", "name", "outcome", "did", "state", "code")
    insert_values(
        RosterImportRow,
        (*columns, "message", "column"),
        (
            (
                position,
                one.file[:300],
                one.line,
                one.name[:200],
                one.outcome,
                one.did,
                one.state,
                one.code,
                one.message,
                one.column,
            )
            for position, one in enumerate(told, start=1)
        ),
        roster_import_id=asked.id,
    )


@transaction.atomic
def forget_import(*, import_id: UUID, at: datetime) -> None:
    """Remove an import's file, and of a trial the report as well.

    While another import still needs the file it is asked again later.
    """
    asked = RosterImport.objects.select_for_update(no_key=True).get(pk=import_id)
    if asked.is_dry_run:
        asked.rows.all().delete()
    if not asked.object_name:
        return
    sharing = RosterImport.objects.filter(object_name=asked.object_name)
    if sharing.filter(status__in=UNFINISHED).exists():
        owe(FORGET, str(asked.id), available_at=at + ASK_AGAIN_AFTER)
        return
    default_storage.delete(asked.object_name)
    sharing.update(object_name="")
