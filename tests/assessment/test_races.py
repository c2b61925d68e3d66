"""The same things done at the same moment, on connections of their own."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResponse,
    AssessmentResult,
    GradingEvent,
    ResponseRevision,
)
from apps.assessment.services import (
    GRADE,
    grade_attempt,
    lease_next_task,
    record_grade,
    save_response,
    start_attempt,
)
from apps.assessment.services.autosave import AttemptClosed, SavedAnswer
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.events import EventType
from apps.core.models import OutboxMessage
from apps.core.revisions import RevisionConflict
from tests.assessment.factories import RIGHT, WITH_ESSAY, learner_of, scene
from tests.cohorts.factories import NOON, event_types, person
from tests.cohorts.threads import at_once

ESSAY_ANSWERS = {**RIGHT, "causes": "Rain and wind."}


def test_eight_starts_at_once_make_one_attempt(own_database: str) -> None:
    it = scene()
    start = partial(
        start_attempt, enrollment=it.enrollment, template=it.template, actor=it.learner, at=NOON
    )

    started = at_once(*[start] * 8)

    attempt = AssessmentAttempt.objects.get()
    assert [one.attempt for one in started] == [attempt] * 8
    assert sum(one.is_new for one in started) == 1


def test_eight_submits_at_once_have_one_effect(own_database: str) -> None:
    it = scene()
    attempt = it.start()

    def submit() -> AssessmentAttempt:
        return it.submit(AssessmentAttempt.objects.get())

    submitted = at_once(*[submit] * 8)

    assert [(one, one.status) for one in submitted] == [(attempt, AttemptStatus.SUBMITTED)] * 8
    assert OutboxMessage.objects.filter(topic=GRADE).count() == 1
    assert event_types(it.enrollment).count(EventType.ASSESSMENT_SUBMITTED) == 1


def test_eight_tabs_saving_at_once_keep_the_newest_and_every_revision(own_database: str) -> None:
    it = scene()
    attempt = it.start()
    item = it.items["pi"]

    saved = at_once(
        *(
            partial(
                save_response,
                attempt_id=attempt.id,
                item_id=item.id,
                value=str(sequence),
                sequence=sequence,
                contact_id=it.learner.id,
                at=NOON,
            )
            for sequence in range(1, 9)
        )
    )

    response = AssessmentResponse.objects.get()
    assert (response.value, response.sequence) == ("8", 8)
    kept = [one.sequence for one in saved if one.is_stored]
    revisions = ResponseRevision.objects.values_list("sequence", flat=True)
    assert sorted(revisions) == sorted(kept)
    assert all(one.sequence >= number for number, one in enumerate(saved, start=1))


def test_a_save_and_a_submit_at_once_lose_nothing_that_was_acknowledged(own_database: str) -> None:
    it = scene()
    attempt = it.start()
    save = partial(
        save_response,
        attempt_id=attempt.id,
        item_id=it.items["pi"].id,
        value="3.14",
        contact_id=it.learner.id,
        at=NOON,
    )

    *saved, _ = at_once(
        *(partial(save, sequence=sequence) for sequence in range(1, 8)),
        lambda: it.submit(AssessmentAttempt.objects.get()),
    )

    kept = [one for one in saved if isinstance(one, SavedAnswer)]
    assert all(isinstance(one, SavedAnswer | AttemptClosed) for one in saved)
    assert AssessmentResponse.objects.filter(attempt=attempt).count() == bool(kept)


def test_eight_gradings_at_once_grade_once(own_database: str) -> None:
    it = scene()
    attempt = it.start()
    it.answer(attempt, RIGHT)
    it.submit(attempt)

    outcomes = at_once(*[partial(grade_attempt, attempt.id, at=NOON)] * 8)

    assert outcomes == [None] * 8
    assert GradingEvent.objects.count() == len(RIGHT)
    assert AssessmentResult.objects.count() == 1
    assert event_types(it.enrollment).count(EventType.ASSESSMENT_PASSED) == 1


def test_of_two_graders_at_once_one_is_told_of_the_conflict(own_database: str) -> None:
    it = scene(WITH_ESSAY)
    attempt = it.graded(ESSAY_ANSWERS)
    grade = partial(
        record_grade,
        attempt_id=attempt.id,
        item_id=it.items["causes"].id,
        expected_revision=0,
        at=NOON,
    )

    outcomes = at_once(
        partial(grade, grader=it.grader, score=Decimal(1)),
        partial(grade, grader=person("Alan"), score=Decimal(4)),
    )

    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == [AssessmentResult.__name__, RevisionConflict.__name__]
    assert GradingEvent.objects.filter(item=it.items["causes"]).count() == 1


def test_graders_asking_at_once_get_different_tasks(own_database: str) -> None:
    it = scene(WITH_ESSAY)
    others = [it] + [
        type(it)(it.version, it.cohort, learner_of(it.cohort, name), it.grader, it.items)
        for name in ("Bo", "Cy", "Di")
    ]
    for other in others:
        other.graded(ESSAY_ANSWERS)
    graders = [person(name) for name in ("G1", "G2", "G3", "G4", "G5")]

    tasks = at_once(
        *(partial(lease_next_task, grader=one, cohort_ids=None, at=NOON) for one in graders)
    )

    assert len({task.id for task in tasks if task}) == 4
    assert tasks.count(None) == 1
