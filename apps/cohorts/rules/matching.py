"""Whom a roster's row speaks of, and what it changes about them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.cohorts.roster.records import RosterRow


@dataclass(frozen=True)
class Known:
    """A contact, as far as a roster can know it. `has_login`: they look after their own name."""

    id: UUID
    display_name: str
    legal_name: str = ""
    external_id: str = ""
    locale: str = ""
    timezone: str = ""
    has_login: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why a row is left out: a stable code, a sentence, and the column that is at fault."""

    code: str
    message: str
    column: str = ""


def whom(
    row: RosterRow, *, by_external_id: Known | None, by_email: Known | None
) -> Known | Refusal | None:
    """Return the contact of a row, None for somebody new, or why that can't be told.

    The external id counts before the address: people change addresses. Two different people, or
    a second external id for one, are never guessed at.
    """
    if by_external_id and by_email and by_external_id.id != by_email.id:
        return Refusal(
            "two-people",
            f"The external id “{row.external_id}” is {by_external_id.display_name}’s, "
            f"but the address {row.email} is {by_email.display_name}’s.",
            "email",
        )
    known = by_external_id or by_email
    if known and row.external_id and known.external_id not in ("", row.external_id):
        return Refusal(
            "another-external-id",
            f"{known.display_name} has the external id “{known.external_id}” already.",
            "external_id",
        )
    return known


def contact_changes(row: RosterRow, known: Known) -> dict[str, str]:
    """Return what the row says anew about a known contact; what it leaves empty stays.

    Who has a login keeps the name, language and time zone that they chose themselves.
    """
    said = {"legal_name": row.legal_name, "external_id": row.external_id}
    if not known.has_login:
        said |= {
            "display_name": row.display_name,
            "locale": row.locale,
            "timezone": row.timezone,
        }
    return {
        field: value for field, value in said.items() if value and value != getattr(known, field)
    }
