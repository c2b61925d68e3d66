"""Saving answers: the hottest path, one SQL statement, and never a lost answer.

Raw SQL, because the ORM cannot say it: look at the attempt under a lock, keep each answer only if
its sequence is newer, and keep the history, at once. The lock makes a save and a hand-in take
turns: PostgreSQL reads the attempt's status again after waiting for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.assessment.models import AssessmentAttempt, AssessmentResponse
from apps.assessment.questions.items import ItemSpec, JsonValue
from apps.assessment.rules.responses import CheckedResponse, ResponseRefused, check_response
from apps.assessment.selectors.papers import published_items
from apps.assessment.services.attempts import NoSuchAttempt, NoSuchItem
from apps.assessment.vocabulary import AttemptStatus
from apps.core.ids import uuid7
from apps.core.problems import Conflict, Invalid

MAX_SEQUENCE = 2**53 - 1
"""The largest whole number that every JSON client counts exactly."""


class AttemptClosed(Conflict):
    code = "attempt-closed"
    title = "This attempt takes no more answers."


class ResponseInvalid(Invalid):
    code = "response-invalid"
    title = "This is no answer to this item."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client wants kept for one item; `sequence` counts up with each of its saves."""

    item_id: UUID
    value: JsonValue
    sequence: int


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """What the server has for one item. With `fault` the last valid value stays the one graded.

    `is_stored` False: a newer save was there already, this one changed nothing.
    """

    item_id: UUID
    sequence: int
    is_stored: bool
    fault_code: str = ""
    fault_message: str = ""


def save_response(
    *,
    attempt_id: UUID,
    item_id: UUID,
    value: JsonValue,
    sequence: int,
    contact_id: UUID,
    at: datetime,
) -> SavedAnswer:
    """Return what is stored for this item now: one SQL statement, without a transaction of its own.

    `contact_id` is who saves; only the attempt's learner (or the contact they were merged into)
    can. Raises NoSuchAttempt, NoSuchItem, AttemptClosed, or ResponseInvalid for what no page of
    ours sends.
    """
    answers = [Answer(item_id, value, sequence)]
    return save_responses(attempt_id=attempt_id, answers=answers, contact_id=contact_id, at=at)[0]


def save_responses(
    *, attempt_id: UUID, answers: Sequence[Answer], contact_id: UUID, at: datetime
) -> list[SavedAnswer]:
    """Return what is stored for each of these items now; all of them are kept in one statement.

    Nothing is kept if one of them is refused; see save_response.
    """
    items = published_items({answer.item_id for answer in answers})
    checked = _check(answers, items)
    stored = _store(attempt_id, answers, checked, items, contact_id, at)
    if len(stored) < len(answers):
        stored = _stored_before(attempt_id, answers, contact_id, at) | stored
    return [_acknowledged(answer, checked[answer.item_id], stored) for answer in answers]


def _check(answers: Sequence[Answer], items: dict[UUID, ItemSpec]) -> dict[UUID, CheckedResponse]:
    checked: dict[UUID, CheckedResponse] = {}
    for answer in answers:
        item = items.get(answer.item_id)
        if item is None:
            raise NoSuchItem
        if not 1 <= answer.sequence <= MAX_SEQUENCE:
            raise _invalid(answer, "sequence", "A sequence is a whole number from 1.")
        if answer.item_id in checked:
            raise _invalid(answer, "item-repeated", "An item is answered twice.")
        try:
            checked[answer.item_id] = check_response(item, answer.value)
        except ResponseRefused as refused:
            raise _invalid(answer, refused.fault.code, refused.fault.message) from refused
    return checked


def _invalid(answer: Answer, code: str, message: str) -> ResponseInvalid:
    field = "sequence" if code == "sequence" else "value"
    return ResponseInvalid(
        detail=message,
        errors=[{"field": field, "code": code, "message": message}],
        item=str(answer.item_id),
    )


_SAVE = """
WITH given AS (
    SELECT * FROM jsonb_to_recordset(%(answers)s::jsonb) AS answer (
        response_id uuid, revision_id uuid, item_id uuid, sequence bigint,
        value jsonb, given_value jsonb, invalid_value jsonb, fault text)
), attempt AS (
    SELECT id, version_id, item_order FROM assessment_attempts
    WHERE id = %(attempt)s AND version_id = %(version)s AND status = %(open)s
      AND (accepts_until IS NULL OR accepts_until >= %(at)s)
      AND contact_id IN (
          SELECT id FROM crm_contacts WHERE id = %(contact)s OR merged_into_id = %(contact)s)
    FOR NO KEY UPDATE
), saved AS (
    INSERT INTO assessment_responses AS kept
        (id, attempt_id, item_id, version_id, sequence, value, invalid_value, fault, saved_at)
    SELECT given.response_id, attempt.id, given.item_id, attempt.version_id, given.sequence,
           given.value, given.invalid_value, given.fault, %(at)s
    FROM attempt, given WHERE attempt.item_order ? given.item_id::text
    ON CONFLICT (attempt_id, item_id) DO UPDATE SET
        sequence = EXCLUDED.sequence,
        value = CASE WHEN EXCLUDED.fault = '' THEN EXCLUDED.value ELSE kept.value END,
        invalid_value = EXCLUDED.invalid_value,
        fault = EXCLUDED.fault,
        saved_at = EXCLUDED.saved_at
    WHERE kept.sequence < EXCLUDED.sequence
    RETURNING kept.id, kept.item_id, kept.sequence
), history AS (
    INSERT INTO response_revisions (id, response_id, sequence, value, fault, saved_at)
    SELECT given.revision_id, saved.id, saved.sequence, given.given_value, given.fault, %(at)s
    FROM saved JOIN given USING (item_id)
)
SELECT item_id, sequence FROM saved
"""


def _store(
    attempt_id: UUID,
    answers: Sequence[Answer],
    checked: dict[UUID, CheckedResponse],
    items: dict[UUID, ItemSpec],
    contact_id: UUID,
    at: datetime,
) -> dict[UUID, tuple[int, bool]]:
    """Keep what is newer; return item -> (sequence, True) for what was kept."""
    versions = {items[answer.item_id].version_id for answer in answers}
    if len(versions) != 1:
        raise NoSuchItem
    rows = [_row(answer, checked[answer.item_id]) for answer in answers]
    with connection.cursor() as cursor:
        cursor.execute(
            _SAVE,
            {
                "answers": json.dumps(rows),
                "attempt": attempt_id,
                "version": versions.pop(),
                "open": AttemptStatus.IN_PROGRESS.value,
                "at": at,
                "contact": contact_id,
            },
        )
        return {item_id: (sequence, True) for item_id, sequence in cursor.fetchall()}


def _row(answer: Answer, checked: CheckedResponse) -> dict[str, Any]:
    is_valid = checked.fault is None
    return {
        "response_id": str(uuid7()),
        "revision_id": str(uuid7()),
        "item_id": str(answer.item_id),
        "sequence": answer.sequence,
        "value": checked.value if is_valid else None,
        "given_value": checked.value,
        "invalid_value": None if is_valid else checked.value,
        "fault": checked.fault.code if checked.fault else "",
    }


def _stored_before(
    attempt_id: UUID, answers: Sequence[Answer], contact_id: UUID, at: datetime
) -> dict[UUID, tuple[int, bool]]:
    """Find out why something was not kept: return the newer sequences, or raise the reason."""
    attempt = AssessmentAttempt.objects.filter(id=attempt_id).select_related("contact").first()
    owners = {attempt.contact_id, attempt.contact.merged_into_id} if attempt else set()
    if attempt is None or contact_id not in owners:
        raise NoSuchAttempt
    if not {str(answer.item_id) for answer in answers} <= set(attempt.item_order):
        raise NoSuchItem
    is_over = attempt.accepts_until is not None and at > attempt.accepts_until
    if attempt.status != AttemptStatus.IN_PROGRESS or is_over:
        raise AttemptClosed
    sequences = AssessmentResponse.objects.filter(
        attempt_id=attempt_id, item_id__in=[answer.item_id for answer in answers]
    ).values_list("item_id", "sequence")
    return {item_id: (sequence, False) for item_id, sequence in sequences}


def _acknowledged(
    answer: Answer, checked: CheckedResponse, stored: dict[UUID, tuple[int, bool]]
) -> SavedAnswer:
    sequence, is_stored = stored[answer.item_id]
    return SavedAnswer(
        item_id=answer.item_id,
        sequence=sequence,
        is_stored=is_stored,
        fault_code=checked.fault.code if checked.fault else "",
        fault_message=checked.fault.message if checked.fault else "",
    )
