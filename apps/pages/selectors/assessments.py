"""An assessment before it is taken, the attempt, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from apps.assessment.models import AssessmentAttempt, AssessmentTemplate
from apps.assessment.questions.items import JsonValue
from apps.assessment.rules.policy import EffectivePolicy, effective_policy, start_refusal
from apps.assessment.rules.responses import is_blank
from apps.assessment.selectors.attempts import (
    AttemptPaper,
    ItemFeedback,
    LearnerResult,
    ShownItem,
    learner_result,
)
from apps.assessment.selectors.offers import offer
from apps.assessment.selectors.overviews import ReleasedResult, released_results
from apps.assessment.selectors.papers import Paper, published_paper
from apps.assessment.vocabulary import AttemptStatus, Kind
from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.contacts.selectors import of_person
from apps.core.ports import Gate
from apps.core.problems import NotFound
from apps.pages.selectors.learning import content_gate
from apps.requirements.selectors.gates import may_start


@dataclass(frozen=True)
class AttemptEntry:
    """An earlier attempt; `result` only where the learner may see it."""

    attempt: AssessmentAttempt
    result: ReleasedResult | None


@dataclass(frozen=True)
class AssessmentView:
    """An assessment as its start page tells it: the terms, one's attempts, why it is locked.

    Without a `policy` it is no longer offered and only the history is left.
    """

    template: AssessmentTemplate
    paper: Paper | None
    policy: EffectivePolicy | None
    attempts: tuple[AttemptEntry, ...]
    running: AssessmentAttempt | None
    gate: Gate

    @property
    def attempts_left(self) -> int | None:
        """How many attempts may still be started; None: without a limit."""
        if self.policy is None or self.policy.attempts_allowed is None:
            return None
        made = len(self.attempts) + (self.running is not None)
        return max(0, self.policy.attempts_allowed - made)


def assessment_view(
    enrollment: CohortEnrollment, template_id: UUID, *, at: datetime
) -> AssessmentView:
    """Return the assessment for one enrolment; raises NotFound where it is none of its own."""
    template = AssessmentTemplate.objects.filter(pk=template_id).first()
    attempts = list(
        AssessmentAttempt.objects.filter(enrollment=enrollment, template_id=template_id).order_by(
            "-attempt_no"
        )
    )
    offered = offer(enrollment, template_id) if template else None
    if template is None or (offered is None and not attempts):
        raise NotFound
    paper = published_paper(offered.version_id) if offered else None
    policy = (
        effective_policy(paper.terms, offered.window, offered.accommodation)
        if offered and paper
        else None
    )
    results = {result.attempt_id: result for result in released_results([enrollment.id], at=at)}
    running = next((attempt for attempt in attempts if is_running(attempt, at)), None)
    return AssessmentView(
        template=template,
        paper=paper,
        policy=policy,
        attempts=tuple(AttemptEntry(a, results.get(a.id)) for a in attempts if a is not running),
        running=running,
        gate=_gate(enrollment, template_id, policy, len(attempts), at),
    )


def is_running(attempt: AssessmentAttempt, at: datetime) -> bool:
    """Whether the attempt still takes answers."""
    is_over = attempt.accepts_until is not None and at > attempt.accepts_until
    return attempt.status == AttemptStatus.IN_PROGRESS and not is_over


def _gate(
    enrollment: CohortEnrollment,
    template_id: UUID,
    policy: EffectivePolicy | None,
    attempts_made: int,
    at: datetime,
) -> Gate:
    gate = content_gate(enrollment)
    if not gate.allowed:
        return gate
    if policy is None:
        return Gate(False, "not-offered", _("This assessment is not offered any more."))
    if enrollment.state != EnrollmentState.ENROLLED:
        return Gate(False, "ended", _("Your time in this cohort is over."))
    refusal = start_refusal(policy, attempts_made=attempts_made, at=at)
    if refusal is not None:
        return Gate(False, refusal.code, refusal.message)
    return may_start(enrollment.id, template_id, at=at)


def own_attempt(contact_id: UUID, attempt_id: UUID) -> AssessmentAttempt:
    """Return the person's own attempt, under any of their aliases; raises NotFound."""
    attempt = (
        AssessmentAttempt.objects.filter(of_person(contact_id), pk=attempt_id)
        .select_related("template", "enrollment__cohort__program_version__definition")
        .first()
    )
    if attempt is None:
        raise NotFound
    return attempt


@dataclass(frozen=True)
class Question:
    """An item of an open attempt as a form shows it."""

    number: int
    item: ShownItem

    @property
    def name(self) -> str:
        return f"answer-{self.item.id}"

    @property
    def sequence_name(self) -> str:
        return f"sequence-{self.item.id}"

    @property
    def value(self) -> JsonValue:
        return shown_value(self.item)

    @property
    def ticked(self) -> list[JsonValue]:
        """The keys of the options that are ticked."""
        return self.value if isinstance(self.value, list) else []


def questions(paper: AttemptPaper) -> list[Question]:
    """Return the items of an attempt in its order, numbered from 1."""
    return [Question(number, item) for number, item in enumerate(paper.items, start=1)]


def shown_value(item: ShownItem) -> JsonValue:
    """Return what stands in the item's field: the newest input, even one that can't be read."""
    return item.invalid_value if item.fault else item.value


def unanswered(paper: AttemptPaper) -> list[int]:
    """Return the numbers, from 1, of the items that have no answer to grade."""
    return [number for number, item in enumerate(paper.items, start=1) if is_blank(item.value)]


@dataclass(frozen=True)
class RubricLine:
    """What a grader chose for one criterion."""

    criterion: str
    level: str
    description: str
    points: Decimal
    comment: str


@dataclass(frozen=True)
class ItemOutcome:
    """An item of a released result: the answer in words, the score and what is said about it."""

    feedback: ItemFeedback
    answer: tuple[str, ...]
    rubric: tuple[RubricLine, ...]


@dataclass(frozen=True)
class ResultView:
    """The page about an attempt that was handed in; without `result` it is not released yet."""

    result: LearnerResult | None
    outcomes: tuple[ItemOutcome, ...]


def result_view(attempt: AssessmentAttempt, *, at: datetime) -> ResultView:
    """Return what the learner may see of the attempt at `at`."""
    result = learner_result(attempt, at=at)
    if result is None or attempt.status == AttemptStatus.VOID:
        return ResultView(None, ())
    paper = published_paper(attempt.version_id)
    return ResultView(result, tuple(_outcome(item, paper) for item in result.items))


def _outcome(feedback: ItemFeedback, paper: Paper) -> ItemOutcome:
    return ItemOutcome(
        feedback=feedback,
        answer=_in_words(feedback.item),
        rubric=_rubric_lines(feedback, paper),
    )


def _in_words(item: ShownItem) -> tuple[str, ...]:
    if is_blank(item.value):
        return ()
    texts = {option.key: option.text for option in item.options}
    match item.kind:
        case Kind.MULTIPLE_CHOICE:
            return (texts[str(item.value)],)
        case Kind.MULTIPLE_RESPONSE if isinstance(item.value, list):
            return tuple(texts[str(key)] for key in item.value)
        case Kind.TRUE_FALSE:
            return (_("True") if item.value else _("False"),)
    return (str(item.value),)


def _rubric_lines(feedback: ItemFeedback, paper: Paper) -> tuple[RubricLine, ...]:
    spec = next(item for item in paper.items if item.id == feedback.item.id)
    if spec.rubric_id is None or not isinstance(feedback.rubric_levels, list):
        return ()
    criteria = {criterion.key: criterion for criterion in paper.rubrics[spec.rubric_id].criteria}
    lines = []
    for chosen in feedback.rubric_levels:
        if isinstance(chosen, dict) and chosen["criterion"] in criteria:
            criterion = criteria[str(chosen["criterion"])]
            levels = {level.key: level for level in criterion.levels}
            level = levels[str(chosen["level"])]
            lines.append(
                RubricLine(
                    criterion=criterion.title,
                    level=level.title,
                    description=level.description,
                    points=Decimal(str(chosen["points"])),
                    comment=str(chosen["comment"]),
                )
            )
    return tuple(lines)
