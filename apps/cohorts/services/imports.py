"""A roster into a cohort: people found or made, enrolled, withdrawn; each row reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce, Lower

from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CohortStaff,
    CohortStatus,
    EnrollmentState,
    StaffRole,
)
from apps.cohorts.roster.records import Roster, RosterRole, RosterRow, RowStatus
from apps.cohorts.rules.matching import Known, Refusal, contact_changes, whom
from apps.cohorts.services.enrollments import (
    NotOpenForEnrolment,
    enroll_all,
    lock_cohort,
    withdraw_all,
)
from apps.contacts.models import ChannelKind, Contact, ContactChannel
from apps.contacts.services import lock_learners, normalized_email, record_admin_action
from apps.core.bulk import insert_many
from apps.core.problems import Conflict, Invalid
from apps.core.revisions import violates

CREATED, UPDATED, UNCHANGED, REFUSED = "created", "updated", "unchanged", "refused"
BATCH = 2_000
STAFF_ROLES = {
    RosterRole.TEACHER: StaffRole.INSTRUCTOR,
    RosterRole.AIDE: StaffRole.ASSISTANT,
}
"""Which of a roster's roles work with a cohort; students take part, all others are left out."""


class ClassNotChosen(Invalid):
    code = "class-not-chosen"
    title = "The roster has several classes: say which one to import."


class RosterRaced(Conflict):
    code = "roster-raced"
    title = "Somebody else added some of these people in the meantime. Nothing was imported."


@dataclass(frozen=True)
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
        counted = Counter(outcome.outcome for outcome in self.outcomes)
        return {name: counted[name] for name in (CREATED, UPDATED, UNCHANGED, REFUSED)}


@dataclass
class _Line:
    """One row on its way: whom it speaks of, and what was done about it so far."""

    row: RosterRow
    contact: Contact | None = None
    is_new: bool = False
    refusal: Refusal | None = None
    did: list[str] = field(default_factory=list)
    state: str = ""

    @property
    def leaves(self) -> bool:
        return self.row.status == RowStatus.TO_BE_DELETED

    def outcome(self) -> RowOutcome:
        outcome = RowOutcome(
            file=self.row.file, line=self.row.line, name=self.row.display_name, outcome=UNCHANGED
        )
        if self.refusal:
            code, message, column = self.refusal.code, self.refusal.message, self.refusal.column
            return replace(outcome, outcome=REFUSED, code=code, message=message, column=column)
        if self.did:
            outcome = replace(outcome, outcome=CREATED if self.is_new else UPDATED)
        return replace(outcome, did=tuple(self.did), state=self.state)


def import_roster(
    *,
    cohort: Cohort,
    roster: Roster,
    actor: Contact | None,
    at: datetime,
    dry_run: bool = False,
    class_id: str = "",
) -> RosterReport:
    """Return what became of each row; what was refused is left out, all else is in, or nothing is.

    Students are enrolled in the file's order, which is that of the seats; teachers and aides
    become staff; rows to be deleted withdraw. A dry run does the very same and takes it back.
    Raises NotOpenForEnrolment, ClassNotChosen, and RosterRaced when two imports make the same
    people at once.
    """
    try:
        with transaction.atomic():
            outcomes = _carry_out(cohort, roster, class_id, actor=actor, at=at)
            if dry_run:
                transaction.set_rollback(True)
    except IntegrityError as error:
        if violates(error, "channel_leads_to_one_contact", "crm_contacts_external_id"):
            raise RosterRaced from error
        raise
    refused = [
        RowOutcome(p.file, p.line, "", REFUSED, (), "", p.code, p.message, p.column or "")
        for p in roster.problems
    ]
    return RosterReport(
        is_dry_run=dry_run,
        failed=roster.failed,
        source=roster.source.value if roster.source else "",
        encoding=roster.encoding or "",
        encoding_guessed=roster.encoding_guessed,
        outcomes=tuple(sorted([*refused, *outcomes], key=lambda one: (one.file, one.line or 0))),
    )


def _carry_out(
    cohort: Cohort, roster: Roster, class_id: str, *, actor: Contact | None, at: datetime
) -> list[RowOutcome]:
    cohort = lock_cohort(cohort.id)
    if cohort.status != CohortStatus.OPEN:
        raise NotOpenForEnrolment(detail=f"“{cohort.title}” is {cohort.status}.")
    people = _People(_chosen(roster, class_id))
    lock_learners(people.known_ids)
    lines = [people.line(row) for row in people.rows]
    people.save()
    _take_out(cohort, lines, actor=actor, at=at)
    _take_in(cohort, lines, actor=actor, at=at)
    _staff(cohort, lines)
    outcomes = [line.outcome() for line in lines]
    details = dict(Counter(outcome.outcome for outcome in outcomes))
    record_admin_action(actor=actor, action="roster.imported", entity=cohort, details=details)
    return outcomes


def _chosen(roster: Roster, class_id: str) -> Sequence[RosterRow]:
    if class_id:
        return roster.rows_of(class_id)
    classes = {row.class_id for row in roster.rows}
    if len(classes) > 1:
        listed = [{"id": known.external_id, "title": known.title} for known in roster.classes]
        raise ClassNotChosen(classes=listed)
    return roster.rows


class _People:
    """The people of a roster: those known before, and those it brings."""

    def __init__(self, rows: Sequence[RosterRow]) -> None:
        self.rows = rows
        addresses = {normalized_email(row.email) for row in rows if row.email}
        ids = {row.external_id for row in rows if row.external_id}
        channels = (
            ContactChannel.objects.annotate(address=Lower("value"))
            .filter(kind=ChannelKind.EMAIL, address__in=addresses)
            .values_list("address", "contact_id")
        )
        self.by_email = dict(channels)
        survivors = (
            Contact.objects.filter(external_id__in=ids)
            .annotate(survivor=Coalesce("merged_into_id", "id"))
            .values_list("external_id", "survivor")
        )
        self.by_external_id = dict(survivors)
        found = {*self.by_email.values(), *self.by_external_id.values()}
        self.contacts = Contact.objects.in_bulk(found)
        self.known_ids = frozenset(self.contacts)
        self.seen: dict[UUID, RosterRow] = {}
        self.new: list[Contact] = []
        self.changed: dict[UUID, Contact] = {}
        self.addresses: list[tuple[Contact, str]] = []

    def line(self, row: RosterRow) -> _Line:
        """Return the row with the contact it speaks of, made or changed but not yet saved."""
        is_taken_up = row.role == RosterRole.STUDENT or row.role in STAFF_ROLES
        if not is_taken_up:
            message = f"A cohort has no place for somebody in the role “{row.role}”."
            return _Line(row, refusal=Refusal("role-not-imported", message, "role"))
        email = normalized_email(row.email)
        found = whom(
            row,
            by_external_id=self._known(self.by_external_id.get(row.external_id)),
            by_email=self._known(self.by_email.get(email)),
        )
        if isinstance(found, Refusal):
            return _Line(row, refusal=found)
        if found and (first := self.seen.get(found.id)):
            message = f"{found.display_name} stands in line {first.line} already."
            return _Line(row, refusal=Refusal("repeated", message))
        line = _Line(row, contact=self.contacts[found.id] if found else None)
        if row.status == RowStatus.ACTIVE:
            self._bring(line, found)
        if line.contact:
            self.seen[line.contact.id] = row
        return line

    def _known(self, contact_id: UUID | None) -> Known | None:
        contact = self.contacts.get(contact_id) if contact_id else None
        if contact is None:
            return None
        return Known(
            id=contact.id,
            display_name=contact.display_name,
            legal_name=contact.legal_name,
            external_id=contact.external_id or "",
            locale=contact.locale,
            timezone=contact.timezone,
            has_login=contact.user_id is not None,
        )

    def _bring(self, line: _Line, known: Known | None) -> None:
        """Make the contact of an active row what the row says."""
        row, contact = line.row, line.contact
        if contact is None or known is None:
            contact = line.contact = Contact(display_name=row.display_name)
            line.is_new = True
            line.did.append("contact.created")
            self.contacts[contact.id] = contact
            self.new.append(contact)
            changes = contact_changes(row, Known(contact.id, row.display_name))
        else:
            changes = contact_changes(row, known)
            if changes:
                line.did.append("contact.updated")
                self.changed[contact.id] = contact
        for name, value in changes.items():
            setattr(contact, name, value)
        if row.external_id:
            self.by_external_id[row.external_id] = contact.id
        email = normalized_email(row.email)
        if email and email not in self.by_email:
            self.by_email[email] = contact.id
            self.addresses.append((contact, email))
            if not line.is_new:
                line.did.append("email.added")

    def save(self) -> None:
        """Write contacts and addresses; the first address of somebody is their primary one."""
        insert_many(Contact, self.new)
        fields = ["display_name", "legal_name", "external_id", "locale", "timezone"]
        Contact.objects.bulk_update(self.changed.values(), fields, batch_size=BATCH)
        has_primary = set(
            ContactChannel.objects.filter(
                kind=ChannelKind.EMAIL,
                is_primary=True,
                contact_id__in=[contact.id for contact, _ in self.addresses],
            ).values_list("contact_id", flat=True)
        )
        insert_many(
            ContactChannel,
            (
                ContactChannel(
                    contact=contact,
                    kind=ChannelKind.EMAIL,
                    value=email,
                    is_primary=contact.id not in has_primary,
                )
                for contact, email in self.addresses
            ),
        )


def _take_out(
    cohort: Cohort, lines: Iterable[_Line], *, actor: Contact | None, at: datetime
) -> None:
    """Withdraw the students who are to be deleted and take part."""
    leaving = {
        line.contact.id: line
        for line in lines
        if line.contact and line.leaves and line.row.role == RosterRole.STUDENT
    }
    if not leaving:
        return
    active = list(cohort.enrollments.active().filter(contact_id__in=leaving))
    for enrollment in withdraw_all(cohort=cohort, enrollments=active, actor=actor, at=at):
        line = leaving[enrollment.contact_id]
        line.did.append("withdrawn")
        line.state = enrollment.state


def _take_in(
    cohort: Cohort, lines: Iterable[_Line], *, actor: Contact | None, at: datetime
) -> None:
    """Enrol the students, in the file's order."""
    coming = [
        (line, line.contact)
        for line in lines
        if line.contact and not line.leaves and line.row.role == RosterRole.STUDENT
    ]
    before = dict(cohort.enrollments.active().values_list("id", "state"))
    contacts = [contact for _, contact in coming]
    enrollments: list[CohortEnrollment] = []
    if contacts:
        enrollments = enroll_all(cohort=cohort, contacts=contacts, actor=actor, at=at)
    for (line, _), enrollment in zip(coming, enrollments, strict=True):
        line.state = enrollment.state
        if before.get(enrollment.id) != enrollment.state:
            line.did.append(EnrollmentState(enrollment.state).value)


def _staff(cohort: Cohort, lines: Iterable[_Line]) -> None:
    """Make teachers and aides staff of the cohort, or no longer."""
    present = {
        (contact_id, role): staff_id
        for staff_id, contact_id, role in cohort.staff.values_list("id", "contact_id", "role")
    }
    coming, leaving = [], []
    for line in lines:
        role = STAFF_ROLES.get(line.row.role)
        if line.contact is None or role is None:
            continue
        staff_id = present.get((line.contact.id, role.value))
        if line.leaves and staff_id:
            leaving.append(staff_id)
            line.did.append("staff.removed")
        elif not line.leaves and not staff_id:
            coming.append(CohortStaff(cohort=cohort, contact=line.contact, role=role))
            line.did.append("staff.added")
    CohortStaff.objects.filter(id__in=leaving).delete()
    insert_many(CohortStaff, coming)
