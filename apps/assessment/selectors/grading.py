"""What a grader sees: the queue, and one answer beside its rubric."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from apps.assessment.models import AssessmentResponse, GradingEvent, GradingTask
from apps.assessment.questions.items import ChoiceKey, ItemSpec, JsonValue
from apps.assessment.rules.responses import is_blank
from apps.assessment.rules.rubrics import RubricSpec
from apps.assessment.selectors.attempts import ShownOption
from apps.assessment.selectors.papers import published_paper
from apps.assessment.vocabulary import Kind, TaskState


@dataclass(frozen=True)
class GradingSheet:
    """One answer with everything needed to grade it. `events` are the item's, oldest first."""

    task: GradingTask
    item: ItemSpec
    value: JsonValue
    invalid_value: JsonValue
    saved_at: datetime | None
    rubric: RubricSpec | None
    events: tuple[GradingEvent, ...]

    @property
    def revision(self) -> int:
        """The item's newest grading event, 0 for none: what a grade must expect."""
        return max((event.revision for event in self.events), default=0)

    @property
    def kind(self) -> str:
        return self.item.kind

    @property
    def options(self) -> tuple[ShownOption, ...]:
        """The options of a choice, without their worth."""
        key = self.item.answer_key
        found = key.options if isinstance(key, ChoiceKey) else ()
        return tuple(ShownOption(option.key, option.text) for option in found)

    @property
    def answer(self) -> tuple[str, ...]:
        """What was answered, in words."""
        return answer_in_words(self)


@dataclass(frozen=True)
class QueueProgress:
    """How far the grading of some tasks is."""

    open: int
    done: int

    @property
    def total(self) -> int:
        return self.open + self.done


def without_own_work(tasks: QuerySet[GradingTask], grader_id: UUID) -> QuerySet[GradingTask]:
    """Return the tasks that are not about this person's own attempts, by any alias."""
    return tasks.exclude(
        Q(attempt__contact_id=grader_id) | Q(attempt__contact__merged_into_id=grader_id)
    )


def grading_sheet(task: GradingTask) -> GradingSheet:
    """Return the answer of a task beside its rubric: two statements and the cached version."""
    paper = published_paper(task.version_id)
    item = next(item for item in paper.items if item.id == task.item_id)
    response = AssessmentResponse.objects.filter(
        attempt_id=task.attempt_id, item_id=task.item_id
    ).first()
    events = GradingEvent.objects.filter(attempt_id=task.attempt_id, item_id=task.item_id)
    return GradingSheet(
        task=task,
        item=item,
        value=response.value if response else None,
        invalid_value=response.invalid_value if response else None,
        saved_at=response.saved_at if response else None,
        rubric=paper.rubrics[item.rubric_id] if item.rubric_id else None,
        events=tuple(events.select_related("grader").order_by("revision")),
    )


def queue_progress(tasks: QuerySet[Any]) -> QueueProgress:
    """Return how many of the tasks are open and how many done; cancelled ones don't count."""
    counts = tasks.aggregate(
        open=Count("id", filter=Q(state=TaskState.OPEN)),
        done=Count("id", filter=Q(state=TaskState.DONE)),
    )
    return QueueProgress(open=counts["open"], done=counts["done"])


class _Answered(Protocol):
    """An item with an answer: of a grading sheet, or of an attempt's paper."""

    @property
    def kind(self) -> str: ...
    @property
    def options(self) -> tuple[ShownOption, ...]: ...
    @property
    def value(self) -> JsonValue: ...


def answer_in_words(item: _Answered) -> tuple[str, ...]:
    """Return what was answered as texts, one for each option that was ticked; () for nothing."""
    if is_blank(item.value):
        return ()
    texts = {option.key: option.text for option in item.options}
    if item.kind == Kind.TRUE_FALSE:
        return (_("true") if item.value else _("false"),)
    given = item.value if isinstance(item.value, list) else [item.value]
    return tuple(texts.get(str(one), str(one)) for one in given)
