"""Starting and handing in: limits, windows, deadlines, simultaneous calls."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from apps.assessment.models import Accommodation, AssessmentAttempt, AssessmentWindow
from apps.assessment.services import (
    GRADE,
    close_attempt,
    close_expired,
    start_attempt,
    submit_attempt,
    void_attempt,
)
from apps.assessment.services.attempts import (
    AttemptVoid,
    Closed,
    Locked,
    NoAttemptsLeft,
    NotEnrolled,
    NotOffered,
    NotOpenYet,
    NotTheLearner,
)
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.events import EventType
from apps.cohorts.models import ProgressEvent
from apps.cohorts.services import withdraw
from apps.contacts.services import merge_contacts
from apps.core.models import OutboxMessage
from apps.core.ports import Gate
from apps.core.versions import new_draft, publish
from tests.assessment.conftest import Unlock
from tests.assessment.factories import (
    RIGHT,
    Scene,
    cohort_with,
    learner_of,
    published_assessment,
    result_of,
    scene,
)
from tests.cohorts.factories import NOON, event_types, person
from tests.programs.factories import AUTHORED

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def graded_ids() -> list[str]:
    return list(OutboxMessage.objects.filter(topic=GRADE).values_list("key", flat=True))


def test_start_attempt_freezes_everything_it_is_taken_under() -> None:
    it = scene(time_limit_seconds=3600, grace_seconds=30, attempts_allowed=2)

    started = start_attempt(
        enrollment=it.enrollment, template=it.template, actor=it.learner, at=NOON
    )

    attempt = AssessmentAttempt.objects.get()
    assert started.is_new
    assert started.attempt == attempt
    assert (attempt.enrollment, attempt.contact, attempt.version) == (
        it.enrollment,
        it.learner,
        it.version,
    )
    assert (attempt.attempt_no, attempt.status) == (1, AttemptStatus.IN_PROGRESS)
    assert attempt.ends_at == NOON + HOUR
    assert attempt.accepts_until == NOON + HOUR + 30 * SECOND
    assert attempt.item_order == [str(it.items[key].id) for key in RIGHT]
    assert attempt.policy["time_limit_seconds"] == {"value": 3600, "source": "version"}
    assert len(attempt.seed) == 32


def test_start_attempt_again_gives_the_open_attempt() -> None:
    it = scene()
    start = partial(start_attempt, enrollment=it.enrollment, template=it.template, actor=it.learner)

    first, second = start(at=NOON), start(at=NOON + HOUR)

    assert (first.is_new, second.is_new) == (True, False)
    assert first.attempt == second.attempt


def test_start_attempt_shuffles_by_the_seed_only() -> None:
    it = scene(shuffle_items=True)

    attempt = it.start()

    assert sorted(attempt.item_order) == sorted(str(item.id) for item in it.items.values())


def test_start_attempt_takes_the_version_that_the_course_pins() -> None:
    it = scene()
    publish(
        version=new_draft(definition=it.template, actor=None, at=AUTHORED), actor=None, at=AUTHORED
    )

    assert it.start().version == it.version


def test_start_attempt_takes_the_latest_version_of_one_that_only_has_a_window() -> None:
    cohort = cohort_with()
    version = published_assessment()
    latest = publish(
        version=new_draft(definition=version.definition, actor=None, at=AUTHORED),
        actor=None,
        at=AUTHORED,
    )
    AssessmentWindow.objects.create(cohort=cohort, template=version.definition)
    enrollment = learner_of(cohort)

    started = start_attempt(
        enrollment=enrollment, template=version.definition, actor=enrollment.contact, at=NOON
    )

    assert started.attempt.version == latest


def test_start_attempt_refuses_what_is_no_part_of_the_program() -> None:
    enrollment = learner_of(cohort_with())
    elsewhere = published_assessment()

    with pytest.raises(NotOffered):
        start_attempt(
            enrollment=enrollment, template=elsewhere.definition, actor=enrollment.contact, at=NOON
        )


def test_start_attempt_refuses_somebody_else_and_who_is_not_enrolled() -> None:
    it = scene()
    start = partial(start_attempt, enrollment=it.enrollment, template=it.template, at=NOON)

    with pytest.raises(NotTheLearner):
        start(actor=it.grader)
    withdraw(enrollment=it.enrollment, actor=None, at=NOON)
    it.enrollment.refresh_from_db()
    with pytest.raises(NotEnrolled):
        start(actor=it.learner)


def test_start_attempt_knows_the_learner_by_the_contact_they_were_merged_into() -> None:
    it = scene()
    survivor = merge_contacts(source=it.learner, into=person("Augusta"), actor=None)

    started = start_attempt(enrollment=it.enrollment, template=it.template, actor=survivor, at=NOON)

    assert started.attempt.contact_id == it.enrollment.contact_id


def test_start_attempt_refuses_what_the_requirements_lock(gate: Unlock) -> None:
    it = scene()
    gate(Gate(allowed=False, code="prerequisite-open", reason="Finish the lessons first."))

    with pytest.raises(Locked) as refused:
        it.start()

    assert refused.value.as_dict()["detail"] == "Finish the lessons first."
    assert refused.value.as_dict()["reason"] == "prerequisite-open"


def test_start_attempt_respects_the_window() -> None:
    it = scene()
    AssessmentWindow.objects.create(
        cohort=it.cohort, template=it.template, opens_at=NOON, closes_at=NOON + DAY
    )

    with pytest.raises(NotOpenYet):
        it.start(NOON - SECOND)
    with pytest.raises(Closed):
        it.start(NOON + DAY)
    assert it.start(NOON + DAY - HOUR).ends_at == NOON + DAY


def test_start_attempt_counts_void_attempts_and_extra_ones() -> None:
    it = scene(attempts_allowed=1)
    void_attempt(attempt_id=it.start().id, actor=it.grader, reason="Power cut", at=NOON)
    with pytest.raises(NoAttemptsLeft):
        it.start()

    Accommodation.objects.create(
        contact=it.learner, extra_attempts=1, granted_by=it.grader, reason="Power cut"
    )

    assert it.start().attempt_no == 2


def test_start_attempt_prefers_the_accommodation_for_this_assessment() -> None:
    it = scene(time_limit_seconds=3600)
    granted = partial(
        Accommodation.objects.create, contact=it.learner, granted_by=it.grader, reason="Dyslexia"
    )
    granted(time_multiplier=Decimal("1.25"))
    granted(time_multiplier=Decimal("1.5"), template=it.template)
    granted(time_multiplier=Decimal(3), template=it.template, ended_at=NOON)

    attempt = it.start()

    assert attempt.ends_at == NOON + timedelta(minutes=90)
    assert attempt.policy["time_multiplier"] == {"value": "1.5", "source": "accommodation"}


def test_start_attempt_closes_an_expired_one_first() -> None:
    it = scene(time_limit_seconds=3600)
    first = it.start()

    second = it.start(NOON + DAY)

    first.refresh_from_db()
    assert (first.status, first.submitted_at) == (AttemptStatus.SUBMITTED, NOON + HOUR)
    assert second.attempt_no == 2


def test_submit_attempt_owes_the_grading_and_tells_of_it() -> None:
    it = scene()
    attempt = it.start()

    submitted = it.submit(attempt, NOON + HOUR)

    attempt.refresh_from_db()
    assert submitted == attempt
    assert (attempt.status, attempt.submitted_at) == (AttemptStatus.SUBMITTED, NOON + HOUR)
    assert not attempt.closed_by_server
    assert graded_ids() == [str(attempt.id)]
    event = ProgressEvent.objects.get(type=EventType.ASSESSMENT_SUBMITTED)
    placement = it.version.placements.get()
    assert (event.entity_id, event.course_id, event.asserted_by) == (
        attempt.id,
        placement.version.definition_id,
        it.learner,
    )
    assert event.payload == {
        "assessment": str(it.template.id),
        "module_items": [str(placement.module_item_id)],
    }


def test_submit_attempt_again_changes_nothing() -> None:
    it = scene()
    attempt = it.start()
    it.submit(attempt, NOON)

    again = it.submit(AssessmentAttempt.objects.get(), NOON + HOUR)

    assert again.submitted_at == NOON
    assert graded_ids() == [str(attempt.id)]
    assert event_types(it.enrollment).count(EventType.ASSESSMENT_SUBMITTED) == 1


def test_submit_attempt_counts_the_servers_deadline() -> None:
    it = scene(time_limit_seconds=3600, grace_seconds=30)
    within_grace = it.start()
    it.submit(within_grace, NOON + HOUR + 30 * SECOND)
    too_late = it.start(NOON + DAY)
    it.submit(too_late, NOON + DAY + HOUR + 31 * SECOND)

    submitted = list(AssessmentAttempt.objects.order_by("attempt_no"))

    assert [(a.submitted_at, a.closed_by_server) for a in submitted] == [
        (NOON + HOUR + 30 * SECOND, False),
        (NOON + DAY + HOUR, True),
    ]


def test_submit_attempt_refuses_somebody_else_and_a_void_one() -> None:
    it = scene()
    attempt = it.start()

    with pytest.raises(NotTheLearner):
        submit_attempt(attempt=attempt, actor=it.grader, at=NOON)
    void_attempt(attempt_id=attempt.id, actor=it.grader, reason="Copied", at=NOON)
    with pytest.raises(AttemptVoid):
        it.submit(attempt)


def test_close_expired_closes_as_of_the_end_however_late_it_comes() -> None:
    it = scene(time_limit_seconds=3600, grace_seconds=30)
    attempt = it.start()

    early = close_expired(at=NOON + HOUR + 30 * SECOND)
    late = close_expired(at=NOON + 10 * DAY)
    again = close_expired(at=NOON + 11 * DAY)

    attempt.refresh_from_db()
    assert (early, late, again) == (0, 1, 0)
    assert (attempt.status, attempt.submitted_at, attempt.closed_by_server) == (
        AttemptStatus.SUBMITTED,
        NOON + HOUR,
        True,
    )
    assert graded_ids() == [str(attempt.id)]


def test_close_attempt_leaves_one_that_still_runs() -> None:
    it = scene(time_limit_seconds=3600)
    attempt = it.start()

    assert close_attempt(attempt_id=attempt.id, at=NOON).status == AttemptStatus.IN_PROGRESS


def test_a_late_attempt_pays_by_the_rule_frozen_on_it() -> None:
    it: Scene = scene(late_percent_per_day=Decimal(10))
    AssessmentWindow.objects.create(cohort=it.cohort, template=it.template, due_at=NOON)

    result = result_of(it.graded(RIGHT, NOON + DAY + SECOND))

    assert (result.raw, result.penalty, result.score, result.percent) == (
        Decimal(6),
        Decimal("1.2"),
        Decimal("4.8"),
        Decimal(80),
    )
