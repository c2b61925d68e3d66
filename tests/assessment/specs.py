"""Items without a database, for tests of the pure rules."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from apps.assessment.questions.items import RULES_OF_KIND, ItemSpec, JsonValue
from apps.assessment.questions.keys import default_grader, read_key
from apps.assessment.vocabulary import Kind

VERSION_ID = UUID("01890000-0000-7000-8000-000000000001")

CAPITAL: dict[str, JsonValue] = {
    "options": [
        {"key": "paris", "text": "Paris", "fraction": "1", "feedback": "Yes."},
        {"key": "lyon", "text": "Lyon", "fraction": "0.25", "feedback": ""},
        {"key": "rome", "text": "Rome", "fraction": "0", "feedback": "That is Italy."},
    ],
    "shuffle": True,
}
PRIMES: dict[str, JsonValue] = {
    "options": [
        {"key": "two", "text": "2", "fraction": "0.5"},
        {"key": "three", "text": "3", "fraction": "0.5"},
        {"key": "four", "text": "4", "fraction": "-0.5"},
        {"key": "six", "text": "6", "fraction": "-0.5"},
    ]
}
ROUND_EARTH: dict[str, JsonValue] = {"correct": True, "feedback_false": "Sail on."}
PI: dict[str, JsonValue] = {
    "answers": [
        {"key": "exact", "value": "3.14", "tolerance": "0.005", "fraction": "1"},
        {"key": "near", "minimum": "3", "maximum": "3.5", "fraction": "0.5"},
    ]
}
COLOUR: dict[str, JsonValue] = {
    "answers": [
        {"key": "either", "pattern": "colo*r", "fraction": "1"},
        {"key": "hue", "pattern": "hue", "fraction": "0.5"},
    ]
}
ESSAY: dict[str, JsonValue] = {"maximum_characters": 50, "guidance": "Name two causes."}

KEYS: dict[str, dict[str, JsonValue]] = {
    Kind.MULTIPLE_CHOICE: CAPITAL,
    Kind.MULTIPLE_RESPONSE: PRIMES,
    Kind.TRUE_FALSE: ROUND_EARTH,
    Kind.NUMERIC: PI,
    Kind.SHORT_TEXT: COLOUR,
    Kind.ESSAY: ESSAY,
}


def item_spec(
    kind: str,
    *,
    data: dict[str, JsonValue] | None = None,
    rule: str = "",
    points: str = "1",
    number: int = 1,
) -> ItemSpec:
    """Return an item of `kind` with its sample key, or the one given."""
    rule = rule or RULES_OF_KIND[kind][0]
    return ItemSpec(
        id=UUID(int=number),
        version_id=VERSION_ID,
        key=f"item-{number}",
        kind=kind,
        title=f"Item {number}",
        prompt_markdown="?",
        points=Decimal(points),
        position=number,
        rule=rule,
        graded_by=default_grader(kind),
        answer_key=read_key(kind, rule, data or KEYS[kind]),
    )
