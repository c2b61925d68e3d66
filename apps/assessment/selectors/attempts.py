"""An attempt as its learner sees it: the paper while it is open, what was released afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResponse,
    AssessmentResult,
    GradingEvent,
    ResultRelease,
)
from apps.assessment.questions.items import (
    ChoiceKey,
    EssayKey,
    ItemSpec,
    JsonValue,
    NumericKey,
    Option,
    ShortTextKey,
    TrueFalseKey,
)
from apps.assessment.rules.paper import option_order
from apps.assessment.rules.policy import EffectivePolicy, read_policy
from apps.assessment.rules.record import is_released
from apps.assessment.rules.results import EventFact, standing_events
from apps.assessment.selectors.papers import Paper, published_paper


@dataclass(frozen=True)
class ShownOption:
    """An option without its worth."""

    key: str
    text: str


@dataclass(frozen=True)
class ShownItem:
    """An item as a learner may see it while the attempt is open: no key, no feedback.

    `value` is the last valid answer; `invalid_value` a newer one that could not be read.
    """

    id: UUID
    key: str
    kind: str
    title: str
    prompt_markdown: str
    points: Decimal
    options: tuple[ShownOption, ...]
    maximum_characters: int | None
    guidance: str
    value: JsonValue
    invalid_value: JsonValue
    fault: str
    sequence: int


@dataclass(frozen=True)
class AttemptPaper:
    """Everything that the page of an open attempt shows, items in the attempt's order."""

    attempt: AssessmentAttempt
    policy: EffectivePolicy
    instructions_markdown: str
    items: tuple[ShownItem, ...]


@dataclass(frozen=True)
class ItemFeedback:
    """What an item earned and what is said about it. `score` None: not graded yet."""

    item: ShownItem
    score: Decimal | None
    max_score: Decimal
    remarks: tuple[str, ...]
    grader_feedback: str
    rubric_levels: JsonValue


@dataclass(frozen=True)
class LearnerResult:
    """A released result with its feedback, item by item."""

    result: AssessmentResult
    pass_percent: Decimal
    items: tuple[ItemFeedback, ...]


def attempt_paper(attempt: AssessmentAttempt) -> AttemptPaper:
    """Return the attempt's paper with the saved answers: one statement and the cached version."""
    paper = published_paper(attempt.version_id)
    return AttemptPaper(
        attempt=attempt,
        policy=read_policy(attempt.policy),
        instructions_markdown=paper.instructions_markdown,
        items=tuple(_shown_items(attempt, paper)),
    )


def _shown_items(attempt: AssessmentAttempt, paper: Paper) -> list[ShownItem]:
    responses = {
        response.item_id: response
        for response in AssessmentResponse.objects.filter(attempt=attempt)
    }
    return [
        _shown(item, attempt.seed, paper.shuffle_options, responses.get(item.id))
        for item in paper.items_of(attempt.item_order)
    ]


def _shown(
    item: ItemSpec, seed: str, shuffle: bool, response: AssessmentResponse | None
) -> ShownItem:
    key = item.answer_key
    essay = key if isinstance(key, EssayKey) else EssayKey()
    return ShownItem(
        id=item.id,
        key=item.key,
        kind=item.kind,
        title=item.title,
        prompt_markdown=item.prompt_markdown,
        points=item.points,
        options=tuple(
            ShownOption(option.key, option.text) for option in _options(item, seed, shuffle)
        ),
        maximum_characters=essay.maximum_characters,
        guidance=essay.guidance,
        value=response.value if response else None,
        invalid_value=response.invalid_value if response else None,
        fault=response.fault if response else "",
        sequence=response.sequence if response else 0,
    )


def _options(item: ItemSpec, seed: str, shuffle: bool) -> list[Option]:
    key = item.answer_key
    if not isinstance(key, ChoiceKey):
        return []
    return option_order(item, key.options, seed=seed, shuffle=shuffle and key.shuffle)


def current_result(attempt: AssessmentAttempt) -> AssessmentResult | None:
    """Return the attempt's newest result."""
    newest: AssessmentResult | None = (
        AssessmentResult.objects.filter(attempt=attempt).order_by("-revision").first()
    )
    return newest


def learner_result(
    attempt: AssessmentAttempt, *, at: datetime, shown: Sequence[ShownItem] | None = None
) -> LearnerResult | None:
    """Return the result with feedback if the learner may see it at `at`, else None.

    Four statements at most; one less if the items are handed over as attempt_paper shows them.
    """
    result = current_result(attempt)
    if result is None:
        return None
    policy = read_policy(attempt.policy)
    decision = release_decision(attempt)
    if not is_released(policy, decision=decision, is_final=result.is_final, at=at):
        return None
    return with_feedback(attempt, result, shown)


def with_feedback(
    attempt: AssessmentAttempt,
    result: AssessmentResult,
    shown: Sequence[ShownItem] | None = None,
) -> LearnerResult:
    """Return a result with its feedback, whoever may see it: two statements.

    One statement if the items are handed over as attempt_paper shows them.
    """
    paper = published_paper(attempt.version_id)
    items = _shown_items(attempt, paper) if shown is None else shown
    return LearnerResult(
        result=result,
        pass_percent=paper.pass_percent,
        items=tuple(_item_feedback(attempt, paper, items)),
    )


def release_decision(attempt: AssessmentAttempt) -> bool | None:
    """Return the latest decision to release or hold this result, its own before its cohort's."""
    decisions = ResultRelease.objects.filter(
        Q(attempt=attempt)
        | Q(template_id=attempt.template_id, cohort__enrollments=attempt.enrollment_id)
    ).order_by("attempt_id", "-recorded_at")
    newest = decisions.first()
    return newest.is_released if newest else None


def _item_feedback(
    attempt: AssessmentAttempt, paper: Paper, items: Sequence[ShownItem]
) -> list[ItemFeedback]:
    events = {
        (str(event.item_id), event.revision): event
        for event in GradingEvent.objects.filter(attempt=attempt, item__isnull=False)
    }
    standing = standing_events(
        EventFact(item, revision, event.kind, event.score)
        for (item, revision), event in events.items()
    )
    specs = {item.id: item for item in paper.items}
    feedback = []
    for shown in items:
        fact = standing.get(str(shown.id))
        event = events[str(shown.id), fact.revision] if fact else None
        feedback.append(
            ItemFeedback(
                item=shown,
                score=event.score if event else None,
                max_score=shown.points,
                remarks=_remarks(specs[shown.id], shown.value, event),
                grader_feedback=event.feedback if event else "",
                rubric_levels=event.rubric_levels if event else [],
            )
        )
    return feedback


def _remarks(item: ItemSpec, value: JsonValue, event: GradingEvent | None) -> tuple[str, ...]:
    """Return what the author says about the chosen options or matched answer, then in general."""
    if event is None:
        return ()
    matched = event.details.get("matched", [])
    said: list[str] = []
    match item.answer_key:
        case ChoiceKey(options=options):
            ticked = value if isinstance(value, list) else [value]
            said = [option.feedback for option in options if option.key in ticked]
        case TrueFalseKey() as key:
            said = [key.feedback_true if value else key.feedback_false] * isinstance(value, bool)
        case NumericKey(answers=answers):
            said = [answer.feedback for answer in answers if answer.key in matched]
        case ShortTextKey(answers=patterns):
            said = [answer.feedback for answer in patterns if answer.key in matched]
    return tuple(text for text in (*said, item.feedback) if text)
