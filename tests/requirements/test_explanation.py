from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from apps.requirements.explanation import (
    Action,
    ActionCode,
    Explanation,
    explain,
    next_actions,
    reason_text,
)
from apps.requirements.facts import AssessmentContext
from apps.requirements.rules import evaluate
from apps.requirements.statuses import NodeStatus, Reason
from tests.requirements.graphs import (
    FACTS,
    NOON,
    before,
    group,
    member,
    quiz,
    result,
    signoff,
    uid,
    version,
)

SPEC = version(
    group("root", title="Certificate"),
    quiz("quiz", title="First quiz"),
    signoff("lab", title="Laboratory", deadline_on=date(2026, 4, 1)),
    quiz("exam", 1, title="Exam"),
    before("quiz", "exam"),
    member("lab", "root"),
    member("exam", "root"),
)


def test_explain_locked_node_names_what_comes_first_and_what_to_do() -> None:
    found = explain(SPEC, evaluate(SPEC, FACTS, NOON), "exam")

    assert found == Explanation(
        status="locked",
        reason="prerequisite_open",
        text="Locked until this is done: First quiz.",
        actions=(
            Action(ActionCode.TAKE_ASSESSMENT, "quiz", "Pass “First quiz”.", target_id=uid(0)),
        ),
    )


def test_next_actions_put_what_is_due_first() -> None:
    found = next_actions(SPEC, evaluate(SPEC, FACTS, NOON), "root")

    assert [(action.node, action.code) for action in found] == [
        ("lab", ActionCode.AWAIT_SIGNOFF),
        ("quiz", ActionCode.TAKE_ASSESSMENT),
    ]
    assert found[0].deadline == datetime(2026, 4, 1, 23, 59, 59, 999999, tzinfo=UTC)


def test_next_actions_of_a_failure_are_to_ask() -> None:
    known = replace(
        FACTS,
        assessments={uid(0): AssessmentContext(attempts_left=0)},
        results={uid(0): (result(20, passed=False),)},
    )

    found = next_actions(SPEC, evaluate(SPEC, known, NOON), "exam")

    assert [(action.node, action.code) for action in found] == [("quiz", ActionCode.ASK_STAFF)]


def test_next_actions_of_something_met_are_none() -> None:
    known = replace(FACTS, results={uid(0): (result(80, passed=True),)})

    assert next_actions(SPEC, evaluate(SPEC, known, NOON), "quiz") == ()


@pytest.mark.parametrize("reason", list(Reason))
def test_reason_text_exists_for_every_reason(reason: Reason) -> None:
    status = NodeStatus("exam", "pending", reason, Decimal("66.50"), 3, ("quiz", "lab"))

    text = reason_text(SPEC, status)

    assert text
    assert "%(" not in text


def test_reason_text_tells_numbers_without_zeros_at_the_end() -> None:
    status = NodeStatus("exam", "pending", Reason.NOT_PASSED_YET, Decimal("66.50"))

    assert reason_text(SPEC, status) == "The best result so far, 66.5 %, is not enough."
    assert reason_text(SPEC, status._replace(have=None)) == "Not passed yet."


def test_reason_text_is_rendered_in_the_readers_language() -> None:
    """Texts are looked up when they are rendered, not when the module is loaded."""
    status = NodeStatus("exam", "waived", Reason.WAIVED)
    with translation.override("en"):
        assert reason_text(SPEC, status) == "Waived."
