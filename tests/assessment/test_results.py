from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.rules.canonical import canonical_text, facts_hash
from apps.assessment.rules.results import (
    EventFact,
    Result,
    ResultFacts,
    ResultTerms,
    decide_result,
    read_facts,
    standing_events,
)
from apps.assessment.vocabulary import AUTOMATIC_KINDS, ITEM_KINDS, GradingKind

TERMS = ResultTerms(
    points={"a": Decimal(2), "b": Decimal(1)}, pass_percent=Decimal(50), percent_places=2
)


def event(item: str | None, revision: int, kind: str, score: str | None) -> EventFact:
    return EventFact(item, revision, kind, None if score is None else Decimal(score))


def facts(*events: EventFact, late: str = "0") -> ResultFacts:
    return ResultFacts(items=("b", "a"), late_percent=Decimal(late), events=events)


A_AUTO = event("a", 1, GradingKind.AUTO, "1")
B_AUTO = event("b", 1, GradingKind.AUTO, "1")


def result(
    *,
    raw: str,
    score: str,
    percent: str,
    passed: bool,
    penalty: str = "0",
    override: str | None = None,
    is_final: bool = True,
    is_void: bool = False,
) -> Result:
    return Result(
        raw=Decimal(raw),
        penalty=Decimal(penalty),
        override=None if override is None else Decimal(override),
        score=Decimal(score),
        max_score=Decimal(3),
        percent=Decimal(percent),
        passed=passed,
        is_final=is_final,
        is_void=is_void,
    )


def test_decide_result_adds_up_and_rounds_once() -> None:
    assert decide_result(TERMS, facts(A_AUTO, B_AUTO)) == result(
        raw="2", score="2", percent="66.67", passed=True
    )


def test_decide_result_stays_provisional_until_every_item_is_graded() -> None:
    assert decide_result(TERMS, facts(A_AUTO, event("a", 2, GradingKind.MANUAL, "2"))) == result(
        raw="2", score="2", percent="66.67", passed=False, is_final=False
    )


def test_decide_result_takes_the_penalty_from_the_maximum_but_never_below_zero() -> None:
    assert decide_result(TERMS, facts(A_AUTO, B_AUTO, late="20")) == result(
        raw="2", penalty="0.6", score="1.4", percent="46.67", passed=False
    )
    assert decide_result(TERMS, facts(A_AUTO, B_AUTO, late="90")) == result(
        raw="2", penalty="2", score="0", percent="0.00", passed=False
    )


def test_decide_result_lets_the_latest_override_stand_apart_and_be_withdrawn() -> None:
    overridden = facts(
        A_AUTO,
        event(None, 2, GradingKind.OVERRIDE, "1.5"),
        event(None, 1, GradingKind.OVERRIDE, "3"),
        late="20",
    )
    withdrawn = facts(
        A_AUTO, B_AUTO, *overridden.events[1:], event(None, 3, GradingKind.OVERRIDE_WITHDRAWN, None)
    )

    assert decide_result(TERMS, overridden) == result(
        raw="1", penalty="0.6", override="1.5", score="1.5", percent="50.00", passed=True
    )
    assert decide_result(TERMS, withdrawn) == result(
        raw="2", score="2", percent="66.67", passed=True
    )


def test_decide_result_of_a_void_attempt_neither_passes_nor_is_final() -> None:
    void = event(None, 1, GradingKind.VOID, None)

    assert decide_result(TERMS, facts(A_AUTO, B_AUTO, void)) == result(
        raw="2", score="2", percent="66.67", passed=False, is_final=False, is_void=True
    )


def test_decide_result_compares_the_number_that_is_shown() -> None:
    terms = ResultTerms({"a": Decimal(3)}, pass_percent=Decimal("66.7"), percent_places=1)
    two_thirds = ResultFacts(("a",), Decimal(0), (event("a", 1, GradingKind.AUTO, "2"),))

    decided = decide_result(terms, two_thirds)

    assert (decided.percent, decided.passed) == (Decimal("66.7"), True)


@pytest.mark.parametrize("automatic", AUTOMATIC_KINDS)
def test_standing_events_never_let_an_automatic_one_outrank_a_persons(automatic: str) -> None:
    persons = event("a", 1, GradingKind.MANUAL, "0.5")

    assert standing_events([persons, event("a", 2, automatic, "2")]) == {"a": persons}


def test_read_facts_reads_what_as_json_wrote() -> None:
    given_facts = facts(A_AUTO, event(None, 1, GradingKind.VOID, None), late="12.5")

    data = given_facts.as_json()

    assert data == {
        "items": ["a", "b"],
        "late_percent": "12.5",
        "events": [
            {"item": None, "revision": 1, "kind": "void", "score": None},
            {"item": "a", "revision": 1, "kind": "auto", "score": "1"},
        ],
    }
    assert read_facts(json.loads(json.dumps(data))).as_json() == data


@pytest.mark.parametrize(
    "data",
    [
        {"items": "a", "late_percent": "0", "events": []},
        {"items": [], "late_percent": "0", "events": [3]},
        {"items": [], "late_percent": "0", "events": [{"item": None, "revision": "1"}]},
    ],
)
def test_read_facts_refuses_other_shapes(data: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_facts(data)  # type: ignore[arg-type]


def test_canonical_text_is_one_text_for_the_same_facts() -> None:
    assert canonical_text({"b": "ü", "a": [1, None]}) == '{"a":[1,null],"b":"ü"}'
    assert facts_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


scores = st.decimals(0, 2, places=6)
item_events = st.lists(
    st.builds(
        EventFact,
        item=st.sampled_from(["a", "b"]),
        revision=st.integers(1, 40),
        kind=st.sampled_from(ITEM_KINDS),
        score=scores,
    ),
    max_size=8,
    unique_by=lambda e: (e.item, e.revision),
)


@given(events=item_events, random=st.randoms(use_true_random=False), late=scores)
def test_decide_result_does_not_depend_on_the_order_of_events(
    events: list[EventFact], random: object, late: Decimal
) -> None:
    mixed = list(events)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one = ResultFacts(("a", "b"), late, tuple(events))
    other = ResultFacts(("b", "a"), late, tuple(mixed))

    assert decide_result(TERMS, one) == decide_result(TERMS, other)
    assert facts_hash(one.as_json()) == facts_hash(other.as_json())


@given(events=item_events, late=st.decimals(0, 100, places=2))
def test_decide_result_from_stored_facts_is_the_same_result_within_its_bounds(
    events: list[EventFact], late: Decimal
) -> None:
    given_facts = ResultFacts(("a", "b"), late, tuple(events))

    decided = decide_result(TERMS, given_facts)

    stored = json.loads(canonical_text(given_facts.as_json()))
    assert decide_result(TERMS, read_facts(stored)) == decided
    assert 0 <= decided.score <= decided.raw
    assert 0 <= decided.percent <= 200
    assert decided.passed == (decided.is_final and decided.percent >= TERMS.pass_percent)


@given(events=item_events, score=scores, kind=st.sampled_from(AUTOMATIC_KINDS))
def test_decide_result_is_not_moved_by_an_automatic_event_after_a_persons(
    events: list[EventFact], score: Decimal, kind: str
) -> None:
    persons = EventFact("a", 50, GradingKind.MANUAL, Decimal(1))
    later = EventFact("a", 51, kind, score)
    before = ResultFacts(("a", "b"), Decimal(0), (*events, persons))

    after = ResultFacts(("a", "b"), Decimal(0), (*events, persons, later))

    assert decide_result(TERMS, after) == decide_result(TERMS, before)
