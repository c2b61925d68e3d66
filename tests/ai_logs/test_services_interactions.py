"""Recording what was said: numbered, sealed, priced, each message and each span once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.ai_logs.models import (
    AiContent,
    AiInteraction,
    AiInteractionCost,
    AiModelPrice,
    AiSession,
    AiSessionKey,
)
from apps.ai_logs.rules.pricing import Usage
from apps.ai_logs.selectors.conversations import reconstruct
from apps.ai_logs.services.erasure import erase_session
from apps.ai_logs.services.interactions import Artefact, NewInteraction, record_interactions
from apps.ai_logs.services.sessions import (
    EndsTooEarly,
    OtherLearner,
    SessionTerms,
    end_session,
    start_session,
)
from apps.ai_logs.texts import Text, plain
from apps.ai_logs.vocabulary import ErasureReason
from apps.cohorts.services import enroll
from apps.core.ids import uuid7
from apps.core.objects import StoreUnavailable
from tests.ai_logs.factories import (
    NOON,
    answered,
    asked,
    conversation,
    messages,
    record,
    session,
    told,
)
from tests.cohorts.factories import open_cohort
from tests.factories import contact

pytestmark = pytest.mark.django_db


def span(number: int, trace: int = 1) -> dict[str, str]:
    return {"trace_id": f"{trace:032x}", "span_id": f"{number:016x}"}


def files(store: Path) -> list[Path]:
    return sorted(path for path in store.rglob("*") if path.is_file())


def test_start_session_makes_a_key_and_knows_the_conversation_again() -> None:
    person = contact()
    terms = SessionTerms(contact=person, started_at=NOON, conversation_id="chat-1")

    first, is_new = start_session(terms=terms, created_by=person)
    again, is_new_again = start_session(terms=terms, created_by=None)
    other, _ = start_session(
        terms=SessionTerms(contact=contact(), started_at=NOON, conversation_id="chat-1"),
        created_by=None,
    )

    assert (first, is_new) == (again, not is_new_again)
    assert other != first
    assert AiSessionKey.objects.filter(session=first).count() == 1


def test_start_session_refuses_somebody_elses_enrolment() -> None:
    enrollment = enroll(cohort=open_cohort(), contact=contact(), actor=None, at=NOON)
    terms = SessionTerms(contact=contact(), enrollment=enrollment, started_at=NOON)

    with pytest.raises(OtherLearner):
        start_session(terms=terms, created_by=None)


def test_end_session_ends_once_and_not_before_it_began() -> None:
    made = session()
    with pytest.raises(EndsTooEarly):
        end_session(session=made, at=NOON - timedelta(seconds=1))

    ended = end_session(session=made, at=NOON)
    again = end_session(session=made, at=NOON + timedelta(hours=1))

    assert (ended.ended_at, again.ended_at) == (NOON, NOON)


def test_record_interactions_numbers_seals_and_prices(store: Path) -> None:
    made = session(contact())
    [question, answer] = record(made.id, asked("What is a permit?"), answered("A permission."))

    assert [(row.seq, row.role) for row in (question, answer)] == [(1, "user"), (2, "assistant")]
    [file] = files(store)
    assert file.relative_to(store).as_posix() == question.content.object_name
    sealed = file.read_bytes()
    assert b"permi" not in sealed
    assert [content.offset for content in AiContent.objects.order_by("offset")] == [
        0,
        question.content.sealed_size,
    ]
    [cost] = AiInteractionCost.objects.all()
    assert (cost.interaction_id, cost.amount, cost.currency) == (
        answer.id,
        Decimal("0.00027"),  # 1000 × 0.15 + 200 × 0.6 in millionths
        "USD",
    )
    assert cost.input_price.price_per_million == Decimal("0.15")
    assert cost.output_price.source.startswith("genai-prices ")


def test_the_same_words_have_different_hashes_in_different_sessions() -> None:
    [one] = record(session().id, asked("yes"))
    [other] = record(session().id, asked("yes"))
    [again] = record(one.session_id, asked("yes"))

    assert bytes(one.content_hash) != bytes(other.content_hash)
    assert bytes(one.content_hash) == bytes(again.content_hash)


def test_a_span_is_recorded_once_and_priced_once() -> None:
    made = session()
    new = answered("!", **span(1))

    first, second = record(made.id, new, new)
    [third] = record(made.id, new)
    outcomes = record_interactions([(session().id, new)], asserted_by=None)

    assert first == second == third == outcomes[0].interaction
    assert outcomes[0].outcome == "repeated"
    assert (AiInteraction.objects.count(), AiInteractionCost.objects.count()) == (1, 1)


def test_of_a_history_only_what_is_new_is_kept() -> None:
    made = session()
    record(
        made.id,
        answered("hello", inputs=messages(("system", "be kind"), ("user", "hi")), **span(1)),
    )
    later = messages(
        ("system", "be kind"), ("user", "hi"), ("assistant", "hello"), ("user", "why?")
    )
    at = NOON + timedelta(minutes=1)
    [call, _thanks] = record(
        made.id,
        answered("because", inputs=later, asked_at=at, occurred_at=at, **span(2)),
        asked("thanks", occurred_at=NOON + timedelta(minutes=2)),
    )

    assert told(reconstruct(made).lines) == [
        ("system", "be kind"),
        ("user", "hi"),
        ("assistant", "hello"),
        ("user", "why?"),
        ("assistant", "because"),
        ("user", "thanks"),
    ]
    assert AiInteraction.objects.get(seq=4).call == call


def test_a_client_that_counts_cached_tokens_apart_is_priced_once() -> None:
    [answer] = record(session().id, answered("!", usage=Usage(input=100, output=0, cached=900)))

    assert (answer.input_tokens, answer.cached_tokens) == (1000, 900)
    [cost] = AiInteractionCost.objects.all()
    assert cost.amount == Decimal("0.0000825")  # 100 × 0.15 + 900 × 0.075 in millionths


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"provider": "ollama", "responded_model": "our-own"}, "no_price"),
        ({"responded_model": "", "requested_model": ""}, "no_model"),
        ({"usage": Usage()}, "no_usage"),
    ],
)
def test_an_unknown_cost_is_null_and_says_why(fields: dict[str, Any], because: str) -> None:
    record(session().id, answered("!", **fields))

    [cost] = AiInteractionCost.objects.all()
    assert (cost.amount, cost.currency, cost.unpriced_because) == (None, "", because)


def test_prices_are_copied_from_the_published_list_once() -> None:
    made = session()
    record(made.id, answered("!"))
    copied = AiModelPrice.objects.count()
    record(made.id, answered("!"))

    assert copied > 3
    assert AiModelPrice.objects.count() == copied
    assert set(AiModelPrice.objects.values_list("provider", "model")) == {("openai", "gpt-4o-mini")}


def test_what_cannot_be_recorded_leaves_the_others_be() -> None:
    ended, erased, fine = session(), session(contact()), session()
    end_session(session=ended, at=NOON)
    erase_session(session=erased, reason=ErasureReason.RETENTION, actor=None)
    late = asked("late", occurred_at=NOON + timedelta(seconds=1))

    outcomes = record_interactions(
        [
            (ended.id, late),
            (erased.id, asked("x")),
            (uuid7(), asked("x")),
            (ended.id, asked("in time")),
            (fine.id, asked("fine")),
        ],
        asserted_by=None,
    )

    assert [(one.outcome, one.problem.code if one.problem else "") for one in outcomes] == [
        ("refused", "ai-session-ended"),
        ("refused", "ai-session-erased"),
        ("refused", "not-found"),
        ("created", ""),
        ("created", ""),
    ]


def test_templates_and_artefacts_are_kept_with_what_made_them() -> None:
    made = session()
    image = Text("image/png", b"\x89PNG")
    [answer] = record(
        made.id,
        answered(
            "Here is a badge.",
            prompt_key="badge",
            prompt_version="3",
            prompt_template=plain("Draw {what}."),
            artefacts=(Artefact("badge.png", image),),
        ),
    )

    [line] = reconstruct(made).lines
    assert line.interaction == answer
    assert line.prompt_template is not None
    assert line.prompt_template.text == plain("Draw {what}.")
    assert [(kept.content.name, kept.text) for kept in line.artefacts] == [("badge.png", image)]


def test_a_store_that_is_gone_leaves_no_row(store: Path) -> None:
    made = session()
    store.mkdir(exist_ok=True)
    (store / "ai").write_text("in the way")

    with pytest.raises(StoreUnavailable):
        record(made.id, asked("lost?"))

    assert AiInteraction.objects.count() == 0


@pytest.fixture
def many() -> list[AiSession]:
    return [conversation(contact()) for _ in range(20)]


@pytest.mark.parametrize("has_history", [False, True])
def test_record_interactions_takes_as_many_statements_for_twenty_as_for_two(
    many: list[AiSession], has_history: bool
) -> None:
    def new(number: int, made: AiSession) -> tuple[Any, NewInteraction]:
        inputs = messages(("user", "What is a permit?"), ("user", "more")) if has_history else ()
        return made.id, answered("more", inputs=inputs, **span(number))

    counts = []
    for start, of in ((100, many[:2]), (200, many)):
        batch = [new(start + number, made) for number, made in enumerate(of)]
        with CaptureQueriesContext(connection) as statements:
            record_interactions(batch, asserted_by=None)
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 18


def test_roles_that_nobody_knows_yet_are_kept() -> None:
    [row] = record(
        session().id, NewInteraction(role="developer", occurred_at=NOON, text=plain("x"))
    )

    assert row.role == "developer"
