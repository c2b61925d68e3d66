"""The result of an attempt: a pure fold of its grading events under its version's terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.assessment.questions.items import JsonValue
from apps.assessment.questions.numbers import HUNDRED, ZERO, as_score, plain, rounded
from apps.assessment.vocabulary import AUTOMATIC_KINDS, GradingKind

ENGINE_VERSION: Final = "assessment-result/1"


@dataclass(frozen=True, slots=True)
class ResultTerms:
    """What the version says about a result: points per item id, pass mark, rounding."""

    points: Mapping[str, Decimal]
    pass_percent: Decimal
    percent_places: int


@dataclass(frozen=True, slots=True)
class EventFact:
    """One grading event. `item` None: about the attempt as a whole. Revisions count per item."""

    item: str | None
    revision: int
    kind: str
    score: Decimal | None


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """Everything a result rests on: which items were asked, what lateness costs, what was given."""

    items: tuple[str, ...]
    late_percent: Decimal
    events: tuple[EventFact, ...]

    def as_json(self) -> dict[str, JsonValue]:
        """Return the canonical facts: sorted by item and revision, numbers as exact text."""
        in_order = sorted(self.events, key=lambda e: (e.item or "", e.revision))
        return {
            "items": [*sorted(self.items)],
            "late_percent": plain(self.late_percent),
            "events": [
                {
                    "item": event.item,
                    "revision": event.revision,
                    "kind": event.kind,
                    "score": None if event.score is None else plain(event.score),
                }
                for event in in_order
            ],
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt is worth. `score` = override, or raw less penalty; `percent` is rounded once.

    Provisional (`is_final` False) until every item is graded; only a final result passes, and a
    void one neither passes nor is final.
    """

    raw: Decimal
    penalty: Decimal
    override: Decimal | None
    score: Decimal
    max_score: Decimal
    percent: Decimal
    passed: bool
    is_final: bool
    is_void: bool


def read_facts(data: Mapping[str, JsonValue]) -> ResultFacts:
    """Return the facts that `as_json` wrote; KeyError, TypeError or ValueError where it did not."""
    items, events = data["items"], data["events"]
    if not isinstance(items, list) or not isinstance(events, list):
        raise ValueError("Facts hold a list of items and a list of events.")
    return ResultFacts(
        items=tuple(str(item) for item in items),
        late_percent=Decimal(str(data["late_percent"])),
        events=tuple(_read_event(event) for event in events),
    )


def _read_event(data: JsonValue) -> EventFact:
    if not isinstance(data, dict):
        raise ValueError("An event is an object.")
    item, score, revision = data["item"], data["score"], data["revision"]
    if not isinstance(revision, int):
        raise ValueError("A revision is a whole number.")
    return EventFact(
        item=None if item is None else str(item),
        revision=revision,
        kind=str(data["kind"]),
        score=None if score is None else Decimal(str(score)),
    )


def decide_result(terms: ResultTerms, facts: ResultFacts) -> Result:
    """Return the result of an attempt. The order in which the events are given does not matter.

    Raw is the sum of the events in force; the penalty is `late_percent` of the maximum, never more
    than raw; an override replaces their difference. Percent = 100 · score / maximum, rounded half
    up to the version's places: the number shown is the number compared with the pass mark.
    """
    in_force = standing_events(facts.events)
    graded = [in_force[item] for item in facts.items if item in in_force]
    raw = sum((event.score or ZERO for event in graded), ZERO)
    max_score = sum((terms.points[item] for item in facts.items), ZERO)
    penalty = min(raw, as_score(max_score * facts.late_percent / HUNDRED))
    override = standing_override(facts.events)
    score = raw - penalty if override is None else override
    percent = rounded(HUNDRED * score / max_score, places=terms.percent_places)
    is_void = any(event.kind == GradingKind.VOID for event in facts.events)
    is_final = not is_void and (override is not None or len(graded) == len(facts.items))
    return Result(
        raw=raw,
        penalty=penalty,
        override=override,
        score=score,
        max_score=max_score,
        percent=percent,
        passed=is_final and percent >= terms.pass_percent,
        is_final=is_final,
        is_void=is_void,
    )


def standing_events(events: Iterable[EventFact]) -> dict[str, EventFact]:
    """Return the event in force for each graded item.

    The latest of a person's, else the latest automatic one: an automatic event never outranks a
    person's, whenever it was recorded.
    """
    standing: dict[str, EventFact] = {}
    for event in events:
        if event.item is None:
            continue
        other = standing.get(event.item)
        if other is None or _rank(event) > _rank(other):
            standing[event.item] = event
    return standing


def standing_override(events: Sequence[EventFact]) -> Decimal | None:
    """Return the score that a person set for the whole attempt, or None."""
    overrides = [
        event
        for event in events
        if event.kind in (GradingKind.OVERRIDE, GradingKind.OVERRIDE_WITHDRAWN)
    ]
    return max(overrides, key=lambda event: event.revision).score if overrides else None


def _rank(event: EventFact) -> tuple[bool, int]:
    return event.kind not in AUTOMATIC_KINDS, event.revision
