"""Beginning and ending sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.ai_logs.ciphers import new_secret, seal_secret
from apps.ai_logs.models import AiErasure, AiSession, AiSessionKey
from apps.ai_logs.vocabulary import SessionType, Source
from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.core.outbox import owe_many
from apps.core.problems import Conflict, Invalid, Problem
from apps.core.revisions import violates
from apps.programs.models import ModuleItem

SESSION_CHANGED = "ai_logs.session_changed"


class OtherLearner(Invalid):
    code = "enrollment-of-another-contact"
    title = "This enrolment belongs to another contact."


class SessionEnded(Conflict):
    code = "ai-session-ended"
    title = "This session has ended."


class SessionErased(Conflict):
    code = "ai-session-erased"
    title = "The texts of this session were erased: nothing can be added to it."


class EndsTooEarly(Invalid):
    code = "ai-session-ends-too-early"
    title = "A session can't end before it started."


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """What is said of a session when it begins."""

    contact: Contact | None
    started_at: datetime
    enrollment: CohortEnrollment | None = None
    module_item: ModuleItem | None = None
    session_type: str = SessionType.TUTORING
    conversation_id: str = ""
    source: str = Source.API
    service_name: str = ""


@transaction.atomic
def start_session(
    *,
    terms: SessionTerms,
    created_by: Contact | None,
    session_id: UUID | None = None,
    spent: Problem | None = None,
) -> tuple[AiSession, bool]:
    """Return the session with a key of its own, and whether it is new.

    The same conversation of the same person is the same session. Raises OtherLearner when the
    enrolment is not the person's, and `spent` for a new session when the budget is.
    """
    contact_id = terms.contact.id if terms.contact else None
    if terms.enrollment is not None and terms.enrollment.contact_id != contact_id:
        raise OtherLearner(
            errors=[{"field": "enrollment", "code": "foreign", "message": OtherLearner.title}]
        )
    known = _conversation(terms.conversation_id, contact_id)
    if known is not None:
        return known, False
    if spent is not None:
        raise spent
    session = AiSession(
        contact=terms.contact,
        enrollment=terms.enrollment,
        module_item=terms.module_item,
        session_type=terms.session_type,
        conversation_id=terms.conversation_id,
        source=terms.source,
        service_name=terms.service_name,
        started_at=terms.started_at,
        created_by=created_by,
    )
    if session_id is not None:
        session.id = session_id
    try:
        with transaction.atomic():
            session.save(force_insert=True)
    except IntegrityError as error:
        if not violates(error, "aisession_conversation_once_per_contact"):
            raise
        winner = _conversation(terms.conversation_id, contact_id)
        if winner is None:
            raise
        return winner, False
    AiSessionKey.objects.create(
        session=session, sealed_key=seal_secret(new_secret(), session_id=session.id)
    )
    return session, True


def _conversation(conversation_id: str, contact_id: UUID | None) -> AiSession | None:
    if not conversation_id:
        return None
    same = AiSession.objects.filter(conversation_id=conversation_id)
    own = same.filter(contact_id=contact_id) if contact_id else same.filter(contact=None)
    return own.first()


def lock_sessions(session_ids: Collection[UUID]) -> dict[UUID, AiSession]:
    """Lock the sessions, in the order of their ids, so that each numbers its messages alone."""
    rows = AiSession.objects.filter(id__in=set(session_ids)).order_by("id")
    return {session.id: session for session in rows.select_for_update()}


def tell_of_changes(session_ids: Iterable[UUID]) -> None:
    """Owe whoever counts conversations the news of these."""
    ids = sorted(map(str, session_ids))
    if ids:
        owe_many(SESSION_CHANGED, ids)


def erased_among(session_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the sessions whose texts were destroyed."""
    rows = AiErasure.objects.filter(session_id__in=session_ids)
    return set(rows.values_list("session_id", flat=True))


@transaction.atomic
def end_session(*, session: AiSession, at: datetime) -> AiSession:
    """Return the session, ended; a second time changes nothing. Raises EndsTooEarly."""
    locked = lock_sessions([session.id])[session.id]
    if locked.ended_at is not None:
        return locked
    if at < locked.started_at:
        raise EndsTooEarly
    locked.ended_at = at
    locked.save(update_fields=["ended_at"])
    return locked
