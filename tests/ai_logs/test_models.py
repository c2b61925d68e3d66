"""What the database itself refuses, one test a constraint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.ai_logs.models import (
    AiBudget,
    AiContent,
    AiErasure,
    AiFeedback,
    AiInteraction,
    AiInteractionCost,
    AiModelPrice,
    AiSafetyReview,
    AiSession,
    AiSessionKey,
    AiTraceContext,
)
from apps.ai_logs.vocabulary import ContentKind, ErasureReason, Rating, Role, TokenType
from apps.cohorts.services import enroll
from apps.core.ids import uuid7
from tests.ai_logs.factories import NOON, answered, asked, conversation, record, session
from tests.cohorts.factories import open_cohort
from tests.factories import contact

pytestmark = pytest.mark.django_db


def refusal(work: Callable[[], Any]) -> str:
    """Return the constraint that refuses the work, or what a trigger says."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        work()
    diagnostics = caught.value.__cause__.diag
    return diagnostics.constraint_name or diagnostics.message_primary


def row(of: AiSession, **fields: Any) -> AiInteraction:
    """Insert a message that is right, but for the fields."""
    values = {"session": of, "seq": 99, "role": Role.ASSISTANT, "occurred_at": NOON, **fields}
    return AiInteraction.objects.create(**values)


def content(of: AiSession, **fields: Any) -> AiContent:
    values = {
        "session": of,
        "media_type": "text/plain",
        "object_name": f"ai/x/{uuid7()}",
        "sealed_size": 30,
        "size": 1,
        "hmac": b"h" * 32,
        **fields,
    }
    return AiContent.objects.create(**values)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"seq": 1}, "aiinteraction_seq_once"),
        ({"role": ""}, "aiinteraction_role_given"),
        ({"span_id": "b" * 16}, "aiinteraction_span_whole"),
        ({"trace_id": "b" * 32}, "aiinteraction_span_whole"),
        ({"content_hash": b"h" * 32}, "aiinteraction_content_has_its_hash"),
        ({"role": Role.USER, "input_tokens": 1}, "aiinteraction_only_calls_take_tokens"),
        (
            {"input_tokens": 10, "cached_tokens": 8, "cache_write_tokens": 3},
            "aiinteraction_cached_is_part_of_input",
        ),
        ({"cached_tokens": 8}, "aiinteraction_cached_is_part_of_input"),
        ({"output_tokens": 1, "reasoning_tokens": 2}, "aiinteraction_reasoning_is_part_of_output"),
        ({"reasoning_tokens": 2}, "aiinteraction_reasoning_is_part_of_output"),
    ],
)
def test_an_interaction_is_refused(fields: dict[str, Any], constraint: str) -> None:
    made = conversation()

    assert refusal(lambda: row(made, **fields)) == constraint


def test_a_span_is_recorded_once_in_all_sessions() -> None:
    span = {"trace_id": "a" * 32, "span_id": "b" * 16}
    row(session(), **span)

    assert refusal(lambda: row(session(), **span)) == "aiinteraction_span_once"


def test_a_message_has_the_content_and_hash_of_its_own_session() -> None:
    mine, other = session(), session()
    text = content(mine)

    def insert(of: AiSession, digest: bytes) -> None:
        row(of, content=text, content_hash=digest)

    assert refusal(lambda: insert(other, b"h" * 32)) == "aiinteraction_content_of_its_session"
    assert refusal(lambda: insert(mine, b"x" * 32)) == "aiinteraction_content_of_its_session"
    insert(mine, b"h" * 32)


def test_a_message_names_a_call_of_its_own_session() -> None:
    call = row(session())

    assert (
        refusal(lambda: row(session(), role=Role.USER, call=call))
        == "aiinteraction_call_of_its_session"
    )


def test_an_artefact_names_its_maker_in_its_own_session() -> None:
    mine = session()
    maker = row(mine)
    artefact = {"kind": ContentKind.ARTEFACT}

    assert refusal(lambda: content(mine, **artefact)) == "aicontent_artefact_names_its_maker"
    assert refusal(lambda: content(mine, interaction=maker)) == "aicontent_artefact_names_its_maker"
    assert (
        refusal(lambda: content(session(), interaction=maker, **artefact))
        == "aicontent_interaction_of_its_session"
    )
    content(mine, interaction=maker, **artefact)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"kind": "note"}, "aicontent_kind_known"),
        ({"sealed_size": 0}, "aicontent_is_sealed"),
        ({"object_name": "ai/x/same", "offset": 5}, "aicontent_place_once"),
    ],
)
def test_a_content_is_refused(fields: dict[str, Any], constraint: str) -> None:
    made = session()
    content(made, object_name="ai/x/same", offset=5)

    assert refusal(lambda: content(made, **fields)) == constraint


def test_a_session_is_of_the_learner_of_its_enrolment() -> None:
    learner, other = contact(), contact()
    enrollment = enroll(cohort=open_cohort(), contact=learner, actor=None, at=NOON)

    def insert(of: Any) -> None:
        AiSession.objects.create(contact=of, enrollment=enrollment, started_at=NOON)

    assert refusal(lambda: insert(other)) == "aisession_enrollment_of_its_contact"
    assert refusal(lambda: insert(None)) == "aisession_enrollment_has_its_contact"
    insert(learner)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_conversation_is_one_session_of_a_person(is_known: bool) -> None:
    person = contact() if is_known else None
    fields = {"contact": person, "conversation_id": "1", "started_at": NOON}
    AiSession.objects.create(**fields)

    assert (
        refusal(lambda: AiSession.objects.create(**fields))
        == "aisession_conversation_once_per_contact"
    )
    AiSession.objects.create(**{**fields, "contact": contact()})


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"session_type": ""}, "aisession_type_given"),
        ({"ended_at": NOON - timedelta(seconds=1)}, "aisession_ends_after_it_starts"),
    ],
)
def test_a_session_is_refused(fields: dict[str, Any], constraint: str) -> None:
    assert refusal(lambda: AiSession.objects.create(started_at=NOON, **fields)) == constraint


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"started_at": NOON - timedelta(days=1)}, "it stays as it was written"),
        ({"session_type": "content_generation"}, "it stays as it was written"),
        ({"ended_at": NOON + timedelta(hours=2)}, "ended_at is set"),
        ({"contact": None}, "contact_id is set"),
    ],
)
def test_what_was_said_of_a_session_stays(fields: dict[str, Any], reason: str) -> None:
    made = session(contact())
    AiSession.objects.filter(pk=made.pk).update(ended_at=NOON + timedelta(hours=1))

    assert reason in refusal(lambda: AiSession.objects.filter(pk=made.pk).update(**fields))


def test_a_key_is_never_replaced_and_never_comes_back() -> None:
    made = session()
    key = {"session": made, "sealed_key": b"x"}

    assert refusal(lambda: AiSessionKey.objects.create(**key)) == "ai_session_keys_session_id_key"
    with connection.cursor() as cursor:
        changed = refusal(lambda: cursor.execute("UPDATE ai_session_keys SET sealed_key = ''"))
    assert "permission denied" in changed

    AiErasure.objects.create(session=made, reason=ErasureReason.RETENTION, contents=0)
    AiSessionKey.objects.filter(session=made).delete()
    assert "the session was erased" in refusal(lambda: AiSessionKey.objects.create(**key))
    assert "the session was erased" in refusal(lambda: content(made))


def test_an_erasure_happens_once_by_somebody_or_by_policy() -> None:
    made = session()

    def erase(reason: ErasureReason) -> None:
        AiErasure.objects.create(session=made, reason=reason, contents=0)

    assert refusal(lambda: erase(ErasureReason.ORGANIZATION)) == "aierasure_by_somebody_or_policy"
    erase(ErasureReason.RETENTION)
    assert refusal(lambda: erase(ErasureReason.RETENTION)) == "ai_erasures_session_id_key"


def test_feedback_is_refused() -> None:
    [_question, answer] = record(session().id, asked("?"), answered("!"))
    fields = {"interaction": answer, "contact": contact(), "revision": 1}
    AiFeedback.objects.create(rating=Rating.FLAG, **fields)

    def insert(rating: str) -> None:
        AiFeedback.objects.create(rating=rating, **fields)

    assert refusal(lambda: insert(Rating.FLAG)) == "aifeedback_revision_once"
    fields["revision"] = 2
    assert refusal(lambda: insert("shrug")) == "aifeedback_rating_known"


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"amount": None}, "aiinteractioncost_known_or_says_why"),
        ({"amount": Decimal(-1)}, "aiinteractioncost_known_or_says_why"),
        ({"currency": "usd"}, "aiinteractioncost_known_or_says_why"),
        ({"unpriced_because": "no_price"}, "aiinteractioncost_known_or_says_why"),
        ({"revision": 1}, "aiinteractioncost_revision_once"),
    ],
)
def test_a_cost_is_refused(fields: dict[str, Any], constraint: str) -> None:
    [answer] = record(session().id, answered("!"))
    values = {"interaction": answer, "revision": 2, "amount": Decimal(1), "currency": "USD"}

    assert refusal(lambda: AiInteractionCost.objects.create(**{**values, **fields})) == constraint


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"token_type": "thought"}, "aimodelprice_type_known"),
        ({"price_per_million": Decimal(-1)}, "aimodelprice_not_negative"),
        ({"currency": "$"}, "aimodelprice_currency_iso_4217"),
        ({}, "aimodelprice_revision_once"),
    ],
)
def test_a_price_is_refused(fields: dict[str, Any], constraint: str) -> None:
    values = {
        "provider": "openai",
        "model": "m",
        "token_type": TokenType.INPUT,
        "valid_from": date(2026, 1, 1),
        "price_per_million": Decimal(1),
        "source": "manual",
        "revision": 1,
    }
    AiModelPrice.objects.create(**values)

    assert refusal(lambda: AiModelPrice.objects.create(**{**values, **fields})) == constraint


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"valid_from": date(2026, 1, 2)}, "aibudget_starts_a_month"),
        ({"amount": Decimal(-1)}, "aibudget_not_negative"),
        ({"alert_percent": Decimal(101)}, "aibudget_alert_within_0_and_100"),
        ({"alert_percent": Decimal(0)}, "aibudget_alert_within_0_and_100"),
        ({"currency": "euro"[:3]}, "aibudget_currency_iso_4217"),
    ],
)
def test_a_budget_is_refused(fields: dict[str, Any], constraint: str) -> None:
    values = {"valid_from": date(2026, 1, 1), "amount": Decimal(100)}

    assert refusal(lambda: AiBudget.objects.create(**{**values, **fields})) == constraint


def test_a_review_is_one_while_open_and_final_when_decided() -> None:
    [answer] = record(session().id, answered("!"))
    review = AiSafetyReview.objects.create(interaction=answer)
    rows = AiSafetyReview.objects.filter(pk=review.pk)

    assert (
        refusal(lambda: AiSafetyReview.objects.create(interaction=answer))
        == "aisafetyreview_one_open"
    )
    assert refusal(lambda: rows.update(state="decided")) == "aisafetyreview_decided_by_somebody"
    assert "what it is about is fixed" in refusal(lambda: rows.update(opened_at=NOON))
    rows.update(state="decided", decision="harmless", decided_by=contact(), decided_at=NOON)
    assert "the review is decided" in refusal(lambda: rows.update(note="changed my mind"))


def test_a_span_tells_its_context_once() -> None:
    fields = {"trace_id": "a" * 32, "span_id": "b" * 16}
    AiTraceContext.objects.create(**fields)

    assert refusal(lambda: AiTraceContext.objects.create(**fields)) == "aitracecontext_span_once"
    assert (
        refusal(lambda: AiTraceContext.objects.create(trace_id="", span_id="x"))
        == "aitracecontext_span_whole"
    )
