"""What an assessment must be before it may be published. Pure: shapes in, faults out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.assessment.questions.items import JsonValue
from apps.assessment.questions.keys import KeyRefused, read_key
from apps.assessment.questions.numbers import ZERO, plain
from apps.assessment.vocabulary import GradedBy, ScoringModel


@dataclass(frozen=True, slots=True)
class ItemShape:
    """One item, as far as publication cares; `rubric` is the key of its rubric or empty."""

    key: str
    kind: str
    rule: str
    key_data: JsonValue
    points: Decimal
    position: int
    graded_by: str
    rubric: str = ""


@dataclass(frozen=True, slots=True)
class CriterionShape:
    """One criterion with the points of its levels."""

    key: str
    points: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class RubricShape:
    key: str
    criteria: tuple[CriterionShape, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason not to publish: a stable code, a sentence, and the key of the part at fault."""

    code: str
    message: str
    key: str = ""


def version_faults(
    scoring_model: str, items: Sequence[ItemShape], rubrics: Sequence[RubricShape]
) -> list[Fault]:
    """Return everything that forbids publishing an assessment version, in reading order."""
    faults: list[Fault] = []
    if not items:
        faults.append(Fault("no-items", "The assessment has no item yet."))
    elif not sum((item.points for item in items), ZERO):
        faults.append(Fault("no-points", "No item is worth a point, so nobody could pass."))
    faults += _repeated_positions(items)
    for item in items:
        faults += _key_faults(item)
        faults += _grader_faults(scoring_model, item)
    for rubric in rubrics:
        faults += _rubric_faults(rubric, items)
    return faults


def _repeated_positions(items: Sequence[ItemShape]) -> list[Fault]:
    first: dict[int, str] = {}
    faults = []
    for item in items:
        earlier = first.setdefault(item.position, item.key)
        if earlier != item.key:
            message = f"“{item.key}” has the same position ({item.position}) as “{earlier}”."
            faults.append(Fault("position-taken", message, item.key))
    return faults


def _key_faults(item: ItemShape) -> list[Fault]:
    try:
        read_key(item.kind, item.rule, item.key_data)
    except KeyRefused as refused:
        return [
            Fault(fault.code, f"“{item.key}”, {fault.path}: {fault.message}", item.key)
            for fault in refused.faults
        ]
    return []


def _grader_faults(scoring_model: str, item: ItemShape) -> list[Fault]:
    """Check that the item is scored by whom the template promises."""
    by_person = item.graded_by == GradedBy.PERSON
    if scoring_model == ScoringModel.AUTO and by_person:
        message = f"“{item.key}” needs a person, but the assessment is scored automatically."
        return [Fault("needs-a-person", message, item.key)]
    if scoring_model == ScoringModel.MANUAL and not by_person:
        message = f"“{item.key}” is scored by the engine, but people score this assessment."
        return [Fault("not-scored-by-a-person", message, item.key)]
    if scoring_model == ScoringModel.RUBRIC and not item.rubric:
        message = f"“{item.key}” has no rubric, but the assessment is scored by rubric."
        return [Fault("rubric-missing", message, item.key)]
    if item.rubric and not by_person:
        message = f"“{item.key}” has a rubric, but is scored by the engine."
        return [Fault("rubric-without-a-person", message, item.key)]
    return []


def _rubric_faults(rubric: RubricShape, items: Sequence[ItemShape]) -> list[Fault]:
    """Check that every criterion can be scored, and that the points are those of the items."""
    faults = []
    if not rubric.criteria:
        faults.append(Fault("no-criteria", f"The rubric “{rubric.key}” is empty.", rubric.key))
    for criterion in rubric.criteria:
        if len(criterion.points) < 2:
            message = f"The criterion “{criterion.key}” needs two levels at least."
            faults.append(Fault("levels-missing", message, criterion.key))
    total = sum((max(c.points, default=ZERO) for c in rubric.criteria), ZERO)
    for item in items:
        if item.rubric == rubric.key and item.points != total:
            message = (
                f"“{item.key}” is worth {plain(item.points)} points, "
                f"its rubric gives up to {plain(total)}."
            )
            faults.append(Fault("rubric-points-differ", message, item.key))
    return faults
