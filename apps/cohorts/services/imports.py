"""A roster into a cohort: people found or made, enrolled, withdrawn; each row reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import IntegrityError, transaction

from apps.cohorts.models import Cohort, CohortStaff, CohortStatus
from apps.cohorts.roster.records import Roster, RosterRole, RosterRow, RowProblem
from apps.cohorts.services.enrollments import (
    NotOpenForEnrolment,
    lock_cohort,
    place_all,
    withdraw_contacts,
)
from apps.cohorts.services.roster_people import STAFF_ROLES, Line, People
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.bulk import batches, insert_values
from apps.core.problems import Conflict, Invalid
from apps.core.revisions import violates

CREATED, UPDATED, UNCHANGED, REFUSED = "created", "updated", "unchanged", "refused"
OUTCOMES = (CREATED, UPDATED, UNCHANGED, REFUSED)
BATCH = 5_000


class ClassNotChosen(Invalid):
    code = "class-not-chosen"
    title = "The roster has several classes: say which one to import."


class RosterRaced(Conflict):
    code = "roster-raced"
    title = "Somebody else added some of these people in the meantime. Nothing was imported."


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row, or would: `did` are the single effects, `state` the enrolment's.

    A refusal of a whole file has no line.
    """

    file: str
    line: int | None
    name: str
    outcome: str
    did: tuple[str, ...] = ()
    state: str = ""
    code: str = ""
    message: str = ""
    column: str = ""


@dataclass(frozen=True)
class RosterReport:
    """What became of a roster, row by row in the file's order."""

    is_dry_run: bool
    failed: bool
    source: str
    encoding: str
    encoding_guessed: bool
    outcomes: tuple[RowOutcome, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows were created, updated, unchanged and refused."""
        return counts_of(outcome.outcome for outcome in self.outcomes)


def counts_of(outcomes: Iterator[str]) -> dict[str, int]:
    """Return outcome -> how many, of every outcome that there is."""
    counted = Counter(outcomes)
    return {name: counted[name] for name in OUTCOMES}


def import_roster(
    *,
    cohort: Cohort,
    roster: Roster,
    actor: Contact | None,
    at: datetime,
    dry_run: bool = False,
    class_id: str = "",
) -> RosterReport:
    """Return what became of each row, at once; for commands and the like.

    Whoever uploads a file is served by `roster_imports`. Raises what `carry_out` raises.
    """
    with transaction.atomic():
        lines = carry_out(cohort=cohort, roster=roster, class_id=class_id, actor=actor, at=at)
        if dry_run:
            transaction.set_rollback(True)
    return RosterReport(
        is_dry_run=dry_run,
        failed=roster.failed,
        source=roster.source.value if roster.source else "",
        encoding=roster.encoding or "",
        encoding_guessed=roster.encoding_guessed,
        outcomes=tuple(outcomes(roster, lines)),
    )


def carry_out(
    *,
    cohort: Cohort,
    roster: Roster,
    class_id: str,
    actor: Contact | None,
    at: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Line]:
    """Return the rows with what became of them; what was refused is left out, all else is in.

    Students are enrolled in the file's order, which is that of the seats; teachers and aides
    become staff; rows to be deleted withdraw. `progress` is told how many rows' people are in.
    Raises NotOpenForEnrolment, ClassNotChosen, and RosterRaced when two imports make the same
    people at once; then the transaction, to which all of it belongs, can only be taken back.
    """
    cohort = lock_cohort(cohort.id)
    if cohort.status != CohortStatus.OPEN:
        raise NotOpenForEnrolment(detail=f"“{cohort.title}” is {cohort.status}.")
    rows = _chosen(roster, class_id)
    people = People(rows)
    lines: list[Line] = []
    try:
        for batch in batches(rows, BATCH):
            lines += people.take(batch)
            progress(len(lines))
    except IntegrityError as error:
        if violates(error, "channel_leads_to_one_contact", "crm_contacts_external_id"):
            raise RosterRaced from error
        raise
    _take_out(cohort, lines, actor=actor, at=at)
    _take_in(cohort, lines, actor=actor, at=at)
    _staff(cohort, lines)
    details = dict(Counter(_outcome(line) for line in lines))
    record_admin_action(actor=actor, action="roster.imported", entity=cohort, details=details)
    return lines


def outcomes(roster: Roster, lines: Sequence[Line]) -> Iterator[RowOutcome]:
    """Yield what became of every row, those that could not be read among them, in file order."""

    def place(entry: Line | RowProblem) -> tuple[str, int]:
        said = entry.row if isinstance(entry, Line) else entry
        return said.file, said.line or 0

    entries: list[Line | RowProblem] = [*roster.problems, *lines]
    for _place, told in groupby(sorted(entries, key=place), key=place):
        of_a_row = list(told)
        problems = [one for one in of_a_row if isinstance(one, RowProblem)]
        yield from (_told(one) for one in of_a_row if isinstance(one, Line))
        # What has no line speaks of a whole file, each for itself.
        together = [problems] if problems and problems[0].line else [[one] for one in problems]
        yield from map(_unread, together)


def _unread(problems: Sequence[RowProblem]) -> RowOutcome:
    """Return the refusal of a row for all that is wrong with it; its code is that of the first."""
    first = problems[0]
    columns = ", ".join(dict.fromkeys(one.column for one in problems if one.column))
    message = " ".join(one.message for one in problems)
    return RowOutcome(first.file, first.line, "", REFUSED, (), "", first.code, message, columns)


def _told(line: Line) -> RowOutcome:
    row, refusal = line.row, line.refusal
    if refusal:
        why = (refusal.code, refusal.message, refusal.column)
        return RowOutcome(row.file, row.line, row.display_name, REFUSED, (), "", *why)
    return RowOutcome(row.file, row.line, row.display_name, _outcome(line), line.did, line.state)


def _outcome(line: Line) -> str:
    if line.refusal:
        return REFUSED
    if not line.did:
        return UNCHANGED
    return CREATED if line.is_new else UPDATED


def _chosen(roster: Roster, class_id: str) -> Sequence[RosterRow]:
    if class_id:
        return roster.rows_of(class_id)
    classes = {row.class_id for row in roster.rows}
    if len(classes) > 1:
        listed = [{"id": known.external_id, "title": known.title} for known in roster.classes]
        raise ClassNotChosen(classes=listed)
    return roster.rows


def _take_out(
    cohort: Cohort, lines: Sequence[Line], *, actor: Contact | None, at: datetime
) -> None:
    """Withdraw the students who are to be deleted and take part."""
    leaving = {
        line.contact_id: line
        for line in lines
        if line.contact_id and line.leaves and line.row.role == RosterRole.STUDENT
    }
    if not leaving:
        return
    left = withdraw_contacts(cohort=cohort, contact_ids=list(leaving), actor=actor, at=at)
    for contact_id in left:
        leaving[contact_id].note("withdrawn")
        leaving[contact_id].state = "withdrawn"


def _take_in(cohort: Cohort, lines: Sequence[Line], *, actor: Contact | None, at: datetime) -> None:
    """Enrol the students, in the file's order."""
    coming = {
        line.contact_id: line
        for line in lines
        if line.contact_id and not line.leaves and line.row.role == RosterRole.STUDENT
    }
    if not coming:
        return
    places = place_all(cohort=cohort, contact_ids=list(coming), actor=actor, at=at)
    for contact_id, line in coming.items():
        place = places[contact_id]
        line.state = place.state
        if place.before != place.state:
            line.note(place.state)


def _staff(cohort: Cohort, lines: Sequence[Line]) -> None:
    """Make teachers and aides staff of the cohort, or no longer."""
    present = {
        (contact_id, role): staff_id
        for staff_id, contact_id, role in cohort.staff.values_list("id", "contact_id", "role")
    }
    coming, leaving = [], []
    for line in lines:
        role = STAFF_ROLES.get(line.row.role)
        if line.contact_id is None or role is None:
            continue
        staff_id = present.get((line.contact_id, role.value))
        if line.leaves and staff_id:
            leaving.append(staff_id)
            line.note("staff.removed")
        elif not line.leaves and not staff_id:
            coming.append((line.contact_id, role.value))
            line.note("staff.added")
    CohortStaff.objects.filter(id__one_of=leaving).delete()
    insert_values(CohortStaff, ("contact_id", "role"), coming, cohort_id=cohort.id)
