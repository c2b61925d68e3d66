"""The people of a roster: those known before, and those it brings. Plain values, no instances."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models.functions import Coalesce, Lower

from apps.cohorts.models import StaffRole
from apps.cohorts.roster.records import RosterRole, RosterRow, RowStatus
from apps.cohorts.rules.matching import Known, Refusal, contact_changes, whom
from apps.contacts.models import ChannelKind, Contact, ContactChannel
from apps.contacts.services import lock_learners, normalized_email
from apps.core.bulk import insert_values, update_values
from apps.core.ids import uuid7

STAFF_ROLES = {
    RosterRole.TEACHER: StaffRole.INSTRUCTOR,
    RosterRole.AIDE: StaffRole.ASSISTANT,
}
"""Which of a roster's roles work with a cohort; students take part, all others are left out."""

_SAID = ("display_name", "legal_name", "external_id", "locale", "timezone")


@dataclass(slots=True)
class Line:
    """One row on its way: whom it speaks of, and what was done about it so far."""

    row: RosterRow
    contact_id: UUID | None = None
    is_new: bool = False
    refusal: Refusal | None = None
    did: tuple[str, ...] = ()
    state: str = ""

    @property
    def leaves(self) -> bool:
        return self.row.status == RowStatus.TO_BE_DELETED

    def note(self, done: str) -> None:
        """Add one effect."""
        self.did = (*self.did, done)


class People:
    """Whom the rows of one roster speak of, a batch of rows at a time.

    Making it finds and locks everybody who is known by an address or identifier.
    """

    def __init__(self, rows: Collection[RosterRow]) -> None:
        addresses = {normalized_email(row.email) for row in rows if row.email}
        ids = {row.external_id for row in rows if row.external_id}
        channels = ContactChannel.objects.annotate(address=Lower("value")).filter(
            kind=ChannelKind.EMAIL, address__one_of=addresses
        )
        self._by_email = dict(channels.values_list("address", "contact_id"))
        survivors = Contact.objects.filter(external_id__one_of=ids).annotate(
            survivor=Coalesce("merged_into_id", "id")
        )
        self._by_external_id = dict(survivors.values_list("external_id", "survivor"))
        lock_learners({*self._by_email.values(), *self._by_external_id.values()})
        self._seen: dict[UUID, int] = {}
        self._known: dict[UUID, Known] = {}
        self._new: dict[UUID, Known] = {}
        self._changed: dict[UUID, Known] = {}
        self._addresses: list[tuple[UUID, str]] = []

    def take(self, rows: Sequence[RosterRow]) -> list[Line]:
        """Return the rows with their contacts, who are now as the rows say."""
        self._load(rows)
        lines = [self._line(row) for row in rows]
        self._save()
        return lines

    def _load(self, rows: Sequence[RosterRow]) -> None:
        """Read the contacts of a batch: the people of the whole file would not fit in memory."""
        found = {self._by_external_id.get(row.external_id) for row in rows if row.external_id}
        found |= {self._by_email.get(normalized_email(row.email)) for row in rows if row.email}
        contacts = Contact.objects.filter(id__one_of=[one for one in found if one])
        self._known = {
            id_: Known(id_, display, legal, external or "", locale, timezone, user is not None)
            for id_, display, legal, external, locale, timezone, user in contacts.values_list(
                "id", *_SAID, "user_id"
            )
        }

    def _line(self, row: RosterRow) -> Line:
        is_taken_up = row.role == RosterRole.STUDENT or row.role in STAFF_ROLES
        if not is_taken_up:
            message = f"A cohort has no place for somebody in the role “{row.role}”."
            return Line(row, refusal=Refusal("role-not-imported", message, "role"))
        found = whom(
            row,
            by_external_id=self._contact(self._by_external_id.get(row.external_id)),
            by_email=self._contact(self._by_email.get(normalized_email(row.email))),
        )
        if isinstance(found, Refusal):
            return Line(row, refusal=found)
        if found and (first := self._seen.get(found.id)):
            message = f"{found.display_name} stands in line {first} already."
            return Line(row, refusal=Refusal("repeated", message))
        line = Line(row, contact_id=found.id if found else None)
        if row.status == RowStatus.ACTIVE:
            self._bring(line, found)
        if line.contact_id:
            self._seen[line.contact_id] = row.line
        return line

    def _contact(self, contact_id: UUID | None) -> Known | None:
        return self._known.get(contact_id) if contact_id else None

    def _bring(self, line: Line, known: Known | None) -> None:
        """Make the contact of an active row what the row says."""
        row = line.row
        contact = known or Known(uuid7(), row.display_name)
        changes = contact_changes(row, contact)
        if changes:
            said: dict[str, Any] = {**changes}
            contact = replace(contact, **said)
        if known is None:
            line.contact_id, line.is_new = contact.id, True
            line.note("contact.created")
            self._new[contact.id] = contact
        elif changes:
            line.note("contact.updated")
            self._changed[contact.id] = contact
        self._known[contact.id] = contact
        if row.external_id:
            self._by_external_id[row.external_id] = contact.id
        email = normalized_email(row.email)
        if email and email not in self._by_email:
            self._by_email[email] = contact.id
            self._addresses.append((contact.id, email))
            if not line.is_new:
                line.note("email.added")

    def _save(self) -> None:
        """Write contacts and addresses; the first address of somebody is their primary one."""
        insert_values(Contact, ("id", *_SAID), map(_values, self._new.values()))
        update_values(Contact, _SAID, map(_values, self._changed.values()))
        known = [id_ for id_, _email in self._addresses if id_ not in self._new]
        primary = ContactChannel.objects.filter(
            kind=ChannelKind.EMAIL, is_primary=True, contact_id__one_of=known
        )
        has_primary = set(primary.values_list("contact_id", flat=True))
        insert_values(
            ContactChannel,
            ("contact_id", "value", "is_primary"),
            ((id_, email, id_ not in has_primary) for id_, email in self._addresses),
            kind=ChannelKind.EMAIL.value,
        )
        self._new, self._changed, self._addresses = {}, {}, []


def _values(known: Known) -> tuple[UUID, str, str, str | None, str, str]:
    return (
        known.id,
        known.display_name,
        known.legal_name,
        known.external_id or None,
        known.locale,
        known.timezone,
    )
