from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.rules import (
    AwardDecision,
    AwardFacts,
    Outcome,
    ResultKnown,
    decide_award,
    facts_document,
    read_facts,
)
from apps.credentials.vocabulary import HoldCode
from apps.requirements.facts import facts_hash
from apps.requirements.statuses import DecisionStatus, Status

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FACTS = AwardFacts(
    template_version=UUID(int=1),
    set_version=UUID(int=2),
    evaluation=UUID(int=3),
    evaluation_status="satisfied",
    evaluation_hash="ab" * 32,
    stands=True,
    confirmed_status="satisfied",
    enrollments=(UUID(int=4),),
    results=(ResultKnown(UUID(int=5), UUID(int=6), 2, "cd" * 32),),
    differences=(),
    legal_name="Ada Lovelace",
    validity_days=None,
    issued_at=NOON,
)


def test_decide_award_awards_for_good_what_is_satisfied_and_confirmed() -> None:
    assert decide_award(FACTS) == AwardDecision(Outcome.AWARD)


def test_decide_award_awards_until_the_validity_ends() -> None:
    decision = decide_award(replace(FACTS, validity_days=365))

    assert decision == AwardDecision(Outcome.AWARD, expires_at=NOON + timedelta(days=365))


@pytest.mark.parametrize("status", ["waived", "failed", "reopened"])
def test_decide_award_leaves_open_what_is_not_satisfied(status: str) -> None:
    assert decide_award(replace(FACTS, evaluation_status=status)) == AwardDecision(Outcome.OPEN)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stands": False}, HoldCode.DECISION_NOT_CONFIRMED),
        ({"confirmed_status": "waived"}, HoldCode.DECISION_NOT_CONFIRMED),
        ({"confirmed_status": "locked"}, HoldCode.DECISION_NOT_CONFIRMED),
        ({"differences": ("assessment.assessmentresult 1 score",)}, HoldCode.RESULTS_DISAGREE),
        ({"legal_name": ""}, HoldCode.NAME_MISSING),
    ],
)
def test_decide_award_holds_what_is_not_confirmed(changes: dict[str, Any], code: HoldCode) -> None:
    assert decide_award(replace(FACTS, **changes)) == AwardDecision(Outcome.HOLD, code)


hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
facts = st.builds(
    AwardFacts,
    template_version=st.uuids(),
    set_version=st.uuids(),
    evaluation=st.uuids(),
    evaluation_status=st.sampled_from(DecisionStatus.values),
    evaluation_hash=hashes,
    stands=st.booleans(),
    confirmed_status=st.sampled_from(Status.values),
    enrollments=st.lists(st.uuids(), max_size=3).map(tuple),
    results=st.lists(
        st.builds(
            ResultKnown,
            attempt=st.uuids(),
            result=st.uuids(),
            revision=st.integers(1, 9),
            facts_hash=hashes,
        ),
        max_size=3,
    ).map(tuple),
    differences=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    legal_name=st.text(max_size=9),
    validity_days=st.none() | st.integers(1, 36_500),
    issued_at=st.integers(0, 2**32).map(lambda second: datetime.fromtimestamp(second, UTC)),
)


@given(facts)
def test_decide_award_awards_only_what_is_satisfied_stands_and_is_confirmed(
    given_facts: AwardFacts,
) -> None:
    is_awarded = decide_award(given_facts).outcome is Outcome.AWARD

    assert is_awarded == (
        given_facts.evaluation_status == "satisfied"
        and given_facts.stands
        and given_facts.confirmed_status == "satisfied"
        and not given_facts.differences
        and bool(given_facts.legal_name)
    )


@given(facts)
def test_read_facts_of_a_stored_document_gives_the_same_facts(given_facts: AwardFacts) -> None:
    stored = json.loads(json.dumps(facts_document(given_facts)))

    assert read_facts(stored) == given_facts
    assert facts_hash(stored) == facts_hash(facts_document(given_facts))
