"""The grading queue, attempts, results and terms in the back office, driven over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.assessment.models import (
    Accommodation,
    AssessmentAttempt,
    AssessmentWindow,
    GradingEvent,
    GradingTask,
    ResultRelease,
)
from apps.assessment.services import record_grade
from apps.assessment.vocabulary import Kind, ReleasePolicy
from apps.cohorts.services import enroll
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    Question,
    Scene,
    cohort_with,
    learner_of,
    result_of,
    scene,
    staff_of,
)
from tests.assessment.specs import PI
from tests.clients import browser
from tests.cohorts.factories import NOON
from tests.factories import member
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db

ADMIN = "/admin/assessment"
QUEUE = f"{ADMIN}/gradingtask/"
ANSWERS = {**RIGHT, "causes": "Rain <b>and</b> wind."}


@pytest.fixture
def it() -> Scene:
    return scene(WITH_ESSAY)


@pytest.fixture
def grace(it: Scene) -> Contact:
    return staff_of(it.cohort, name="Grace H")


@pytest.fixture
def grader(grace: Contact) -> Client:
    return browser(grace)


def another(it: Scene, name: str) -> Scene:
    return Scene(it.version, it.cohort, learner_of(it.cohort, name), it.grader, it.items)


def own_attempt(it: Scene, person: Contact) -> AssessmentAttempt:
    """Return an attempt of somebody who works with the cohort and learns in it."""
    enrollment = enroll(cohort=it.cohort, contact=person, actor=None, at=NOON)
    return Scene(it.version, it.cohort, enrollment, it.grader, it.items).graded(ANSWERS)


def task_of(attempt: AssessmentAttempt) -> GradingTask:
    return attempt.grading_tasks.get()


def page(task: GradingTask, name: str = "change") -> str:
    return f"{QUEUE}{task.id}/{name}/"


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def grade(**fields: Any) -> dict[str, Any]:
    levels = {"level-0": "clarity-good", "comment-0": "Clear.", "level-1": "depth-poor"}
    return {"expected_revision": "0", **levels, "feedback": "Go deeper.", **fields}


def learners(response: Any) -> list[str]:
    return [task.attempt.contact.display_name for task in response.context["cl"].result_list]


def actions(prefix: str) -> list[str]:
    rows = AdminAction.objects.filter(action__startswith=prefix).order_by("recorded_at")
    return list(rows.values_list("action", flat=True))


def test_the_queue_lists_what_waits_and_counts_what_is_done(it: Scene, grader: Client) -> None:
    done, waiting = it.graded(ANSWERS), another(it, "Bo").graded(ANSWERS)
    record_grade(
        attempt_id=done.id,
        item_id=it.items["causes"].id,
        grader=it.grader,
        score=Decimal(1),
        expected_revision=0,
        at=now(),
    )

    queue = grader.get(QUEUE)

    assert learners(queue) == ["Bo"]
    assert "1 of 2 graded, 1 waiting." in text(queue)
    assert "Grade next" in text(queue)
    assert learners(grader.get(f"{QUEUE}?shown=done")) == ["Ada"]
    assert learners(grader.get(f"{QUEUE}?shown=all")) == ["Ada", "Bo"]
    assert learners(grader.get(f"{QUEUE}?waiting=1")) == []
    assert waiting.grading_tasks.count() == 1


def test_the_queue_is_narrowed_by_assessment_and_cohort() -> None:
    it = scene(WITH_ESSAY)
    elsewhere = cohort_with(it.version, slug="autumn")
    Scene(it.version, elsewhere, learner_of(elsewhere, "Cy"), it.grader, it.items).graded(ANSWERS)
    it.graded(ANSWERS)
    owner = browser(member(OrgRole.OWNER))

    narrowed = owner.get(f"{QUEUE}?attempt__enrollment__cohort__id__exact={elsewhere.id}")
    by_template = owner.get(f"{QUEUE}?attempt__template__id__exact={it.template.id}")
    nonsense = owner.get(f"{QUEUE}?attempt__enrollment__cohort__id__exact=x")

    assert (learners(narrowed), learners(by_template)) == (["Cy"], ["Cy", "Ada"])
    assert "0 of 1 graded" in text(narrowed)
    assert nonsense.status_code == 302
    assert learners(browser(staff_of(elsewhere)).get(QUEUE)) == ["Cy"]
    assert learners(browser(member(OrgRole.INSTRUCTOR)).get(QUEUE)) == []


def test_grade_next_leases_and_opens_the_oldest(it: Scene, grader: Client, grace: Contact) -> None:
    first = task_of(it.graded(ANSWERS))
    another(it, "Bo").graded(ANSWERS)

    opened = grader.post(f"{QUEUE}next/", {"attempt__template__id__exact": str(it.template.id)})
    elsewhere = browser(staff_of(it.cohort)).post(f"{QUEUE}next/")

    assert opened["Location"] == page(first)
    assert elsewhere["Location"] != page(first)
    first.refresh_from_db()
    assert first.leased_by == grace


def test_the_answer_is_shown_beside_its_rubric_and_escaped(it: Scene, grader: Client) -> None:
    task = task_of(it.graded(ANSWERS))

    shown = text(grader.get(page(task)))

    assert "Rain &lt;b&gt;and&lt;/b&gt; wind." in shown
    assert "About causes?" in shown
    assert all(level in shown for level in ("Poor (0)", "Good (2)", "Clarity", "Depth"))


def test_a_grade_by_rubric_is_recorded_and_the_next_answer_opened(
    it: Scene, grader: Client, grace: Contact
) -> None:
    attempt = it.graded(ANSWERS)
    following = task_of(another(it, "Bo").graded(ANSWERS))

    sent = grader.post(page(task_of(attempt)), grade(next="1"))

    assert sent["Location"] == page(following)
    event = GradingEvent.objects.get(item=it.items["causes"])
    assert (event.kind, event.score, event.grader, event.feedback) == (
        "rubric",
        Decimal(2),
        grace,
        "Go deeper.",
    )
    assert event.rubric_levels[0]["comment"] == "Clear."
    assert result_of(attempt).is_final
    assert actions("gradingtask") == ["gradingtask.graded"]


def test_the_last_grade_leads_back_to_the_queue(it: Scene, grader: Client) -> None:
    sent = grader.post(page(task_of(it.graded(ANSWERS))), grade(next="1"), follow=True)

    assert "Nothing waits here that nobody is at." in text(sent)


def test_points_are_given_where_there_is_no_rubric() -> None:
    it = scene((Question("pi", Kind.NUMERIC, PI, "3", graded_by="person"),))
    task = task_of(it.graded({"pi": "3.14"}))
    grader = browser(staff_of(it.cohort))

    too_much = grader.post(page(task), {"expected_revision": "0", "score": "3.5", "save": "1"})
    sent = grader.post(page(task), {"expected_revision": "0", "score": "2.5", "save": "1"})

    assert "less than or equal to 3" in text(too_much)
    assert sent["Location"] == QUEUE
    assert GradingEvent.objects.get().score == Decimal("2.5")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"level-0": ""}, "This field is required."),
        ({"level-0": "superb"}, "Select a valid choice."),
        ({"expected_revision": "x"}, "Enter a whole number."),
        ({"expected_revision": "-1"}, "greater than or equal to 0"),
        ({"feedback": "x" * 20_001}, "at most 20000 characters"),
        ({"feedback": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_a_bad_grade_is_told_and_grades_nothing(
    it: Scene, grader: Client, changes: dict[str, str], told: str
) -> None:
    task = task_of(it.graded(ANSWERS))

    sent = grader.post(page(task), grade(**changes))

    assert told in text(sent)
    assert not GradingEvent.objects.filter(kind="rubric").exists()


def test_a_conflict_is_shown_and_the_input_kept(it: Scene, grader: Client) -> None:
    attempt = it.graded(ANSWERS)
    task = task_of(attempt)
    record_grade(
        attempt_id=attempt.id,
        item_id=task.item_id,
        grader=it.grader,
        score=Decimal(4),
        expected_revision=0,
        at=now(),
        feedback="Splendid.",
    )

    refused = grader.post(page(task), grade(reason="I was first."))
    shown = text(refused)
    replaced = grader.post(page(task), grade(expected_revision="1", reason="Too kind."))

    assert "Somebody else graded this in the meantime" in shown
    assert "Splendid." in shown
    assert all(kept in shown for kept in ("Go deeper.", "Clear.", 'value="1"'))
    assert replaced.status_code == 302
    assert result_of(attempt).score == Decimal(8)
    assert [event.reason for event in GradingEvent.objects.filter(item=task.item)] == [
        "",
        "Too kind.",
    ]


def test_a_second_grade_needs_a_reason(it: Scene, grader: Client) -> None:
    task = task_of(it.graded(ANSWERS))
    grader.post(page(task), grade())

    silent = grader.post(page(task), grade(expected_revision="1"))

    assert "Why the grade is changed" in text(silent)
    assert GradingEvent.objects.filter(kind="rubric").count() == 1


def test_an_answer_is_kept_and_given_back(it: Scene, grader: Client, grace: Contact) -> None:
    task = task_of(it.graded(ANSWERS))
    other = browser(staff_of(it.cohort))

    grader.post(page(task, "lease"))
    task.refresh_from_db()
    kept_by, seen = task.leased_by, text(other.get(page(task)))
    refused = other.post(page(task, "lease"), follow=True)
    grader.post(page(task, "give-back"))

    assert kept_by == grace
    assert "Grace H is grading this now." in seen
    assert "Somebody else is grading this now" in text(refused)
    task.refresh_from_db()
    assert task.leased_by is None


def test_nobody_sees_or_grades_their_own_work(it: Scene) -> None:
    for person in (staff_of(it.cohort), member(OrgRole.OWNER)):
        attempt = own_attempt(it, person)
        task, client = task_of(attempt), browser(person)

        assert learners(client.get(QUEUE)) == [] or attempt.contact.display_name not in learners(
            client.get(QUEUE)
        )
        assert client.get(page(task)).status_code == 404
        assert client.post(page(task), grade()).status_code == 404
        assert client.post(page(task, "lease")).status_code == 404
        own_page = f"{ADMIN}/assessmentattempt/{attempt.id}"
        assert client.get(f"{own_page}/change/").status_code == 404
        assert client.post(f"{own_page}/void/", {"reason": "Mine."}).status_code == 404
        assert client.post(f"{own_page}/release/", {"is_released": "yes"}).status_code == 404
    assert not GradingEvent.objects.filter(kind="rubric").exists()


def test_who_may_grade(it: Scene) -> None:
    task = task_of(it.graded(ANSWERS))
    elsewhere = cohort_with(it.version, slug="autumn")
    auditor, stranger = browser(member(OrgRole.AUDITOR)), browser(staff_of(elsewhere))

    assert "The grade" not in text(auditor.get(page(task)))
    assert "Grade next" not in text(auditor.get(QUEUE))
    assert {
        auditor.post(page(task), grade()).status_code,
        auditor.post(f"{QUEUE}next/").status_code,
        auditor.post(page(task, "lease")).status_code,
        stranger.get(page(task)).status_code,
        stranger.post(page(task), grade()).status_code,
        browser(staff_of(it.cohort)).get(f"{QUEUE}next/").status_code,
    } == {404}
    assert browser(it_learner(it)).get(QUEUE, follow=True).status_code == 403
    assert not GradingEvent.objects.filter(kind="rubric").exists()


def it_learner(it: Scene) -> Contact:
    """Return a learner of the cohort who can sign in."""
    learner = member(name="Learner")
    enroll(cohort=it.cohort, contact=learner, actor=None, at=NOON)
    return learner


def test_a_cancelled_task_is_only_shown(it: Scene, grader: Client) -> None:
    attempt = it.graded(ANSWERS)
    grader.post(f"{ADMIN}/assessmentattempt/{attempt.id}/void/", {"reason": "Copied."})

    assert "The grade" not in text(grader.get(page(task_of(attempt))))
    assert grader.post(page(task_of(attempt)), grade()).status_code == 404


def test_an_attempt_is_shown_with_answers_and_events(it: Scene, grader: Client) -> None:
    attempt = it.graded({**ANSWERS, "capital": "rome"})
    grader.post(page(task_of(attempt)), grade())

    shown = text(grader.get(f"{ADMIN}/assessmentattempt/{attempt.id}/change/"))

    assert all(
        words in shown
        for words in ("Rome", "Rain &lt;b&gt;and", "the engine", "Grace H", "6 / 10", "60 %")
    )


def test_an_attempt_is_voided_for_a_reason(it: Scene, grader: Client) -> None:
    attempt = it.graded(ANSWERS)
    address = f"{ADMIN}/assessmentattempt/{attempt.id}/void/"

    asked = grader.get(address)
    silent = grader.post(address, {"reason": "  "})
    done = grader.post(address, {"reason": "Copied."}, follow=True)

    assert "Declare the attempt of Ada void" in text(asked)
    assert "This field is required." in text(silent)
    assert "The attempt is void." in text(done)
    attempt.refresh_from_db()
    assert attempt.status == "void"
    assert actions("assessment.attempt") == ["assessment.attempt_voided"]


def test_attempts_cannot_be_edited(it: Scene, grader: Client) -> None:
    attempt = it.graded(ANSWERS)

    for name in ("assessmentattempt", "assessmentresult"):
        assert grader.get(f"{ADMIN}/{name}/add/").status_code == 403
    assert grader.post(f"{ADMIN}/assessmentattempt/{attempt.id}/change/").status_code == 404
    assert grader.post(f"{ADMIN}/assessmentattempt/{attempt.id}/delete/").status_code == 403


def test_results_are_released_and_held() -> None:
    it = scene(release_policy=ReleasePolicy.MANUAL)
    attempt = it.graded(RIGHT)
    grader = browser(staff_of(it.cohort))
    selected = {"_selected_action": [str(result_of(attempt).id)]}

    question = grader.post(f"{ADMIN}/assessmentresult/", {"action": "release", **selected})
    assert "The learners see these results with their feedback at once." in (
        question.content.decode()
    )
    assert not ResultRelease.objects.exists()
    grader.post(f"{ADMIN}/assessmentresult/", {"action": "release", "confirmed": "1", **selected})
    grader.post(f"{ADMIN}/assessmentattempt/{attempt.id}/release/", {"is_released": "no"})
    grader.post(
        f"{ADMIN}/resultrelease/add/",
        {
            "cohort": str(it.cohort.id),
            "template": str(it.template.id),
            "is_released": "yes",
            "reason": "Board.",
        },
    )

    decided = ResultRelease.objects.order_by("recorded_at")
    assert [(d.attempt_id, d.cohort_id, d.is_released, d.reason) for d in decided] == [
        (attempt.id, None, True, ""),
        (attempt.id, None, False, ""),
        (None, it.cohort.id, True, "Board."),
    ]
    assert actions("assessment.results") == [
        "assessment.results_released",
        "assessment.results_held",
        "assessment.results_released",
    ]


def test_who_may_release() -> None:
    it = scene(release_policy=ReleasePolicy.MANUAL)
    attempt = it.graded(RIGHT)
    elsewhere = cohort_with(it.version, slug="autumn")
    auditor, stranger = browser(member(OrgRole.AUDITOR)), browser(staff_of(elsewhere))
    selected = {
        "action": "release",
        "confirmed": "1",
        "_selected_action": [str(result_of(attempt).id)],
    }
    decision = {
        "cohort": str(it.cohort.id),
        "template": str(it.template.id),
        "is_released": "yes",
    }

    for client in (auditor, stranger):
        client.post(f"{ADMIN}/assessmentresult/", selected)
        client.post(f"{ADMIN}/resultrelease/add/", decision)
        client.post(f"{ADMIN}/assessmentattempt/{attempt.id}/release/", {"is_released": "yes"})

    assert not ResultRelease.objects.exists()


def test_a_window_is_set_on_the_cohorts_clock_changed_and_removed(it: Scene) -> None:
    runner = browser(staff_of(it.cohort))
    body = {"cohort": str(it.cohort.id), "template": str(it.template.id)}

    runner.post(f"{ADMIN}/assessmentwindow/add/", {**body, "due_at": "2026-07-01T18:00"})
    window = AssessmentWindow.objects.get()
    due = window.due_at
    address = f"{ADMIN}/assessmentwindow/{window.id}"
    shown = text(runner.get(f"{address}/change/"))
    wrong = runner.post(
        f"{address}/change/", {"opens_at": "2026-07-02T18:00", "due_at": "2026-07-01T18:00"}
    )
    runner.post(f"{address}/change/", {"closes_at": "2026-07-03T18:00", "attempts_allowed": "2"})
    window.refresh_from_db()
    changed = (window.due_at, window.closes_at, window.attempts_allowed)
    runner.post(f"{address}/remove/")

    assert due == datetime(2026, 7, 1, 16, tzinfo=UTC)
    assert 'value="2026-07-01T18:00"' in shown
    assert "It is due before it opens." in text(wrong)
    assert changed == (None, datetime(2026, 7, 3, 16, tzinfo=UTC), 2)
    assert not AssessmentWindow.objects.exists()
    assert actions("assessment.window") == [
        "assessment.window_opened",
        "assessment.window_changed",
        "assessment.window_removed",
    ]


def test_an_accommodation_is_granted_and_ended(it: Scene) -> None:
    runner = browser(staff_of(it.cohort))
    body = {
        "contact": str(it.learner.id),
        "template": "",
        "time_multiplier": "1.5",
        "extra_attempts": "0",
        "reason": "Dyslexia.",
    }

    nothing = runner.post(f"{ADMIN}/accommodation/add/", {**body, "time_multiplier": "1"})
    runner.post(f"{ADMIN}/accommodation/add/", body)
    granted = Accommodation.objects.get()
    address = f"{ADMIN}/accommodation/{granted.id}"
    shown = text(runner.get(f"{address}/change/"))
    runner.post(f"{address}/end/")

    assert "Grant more time, more attempts, or both." in text(nothing)
    assert "Dyslexia." in shown
    assert "End it" in shown
    granted.refresh_from_db()
    assert granted.ended_at is not None
    assert "End it" not in text(runner.get(f"{address}/change/"))
    assert actions("assessment.accommodation") == [
        "assessment.accommodation_granted",
        "assessment.accommodation_ended",
    ]


def test_terms_are_narrowed_to_ones_cohorts(it: Scene) -> None:
    window = AssessmentWindow.objects.create(cohort=it.cohort, template=it.template)
    granted = Accommodation.objects.create(
        contact=it.learner, time_multiplier=Decimal(2), reason="R.", granted_by=it.grader
    )
    elsewhere = cohort_with(it.version, slug="autumn")
    stranger, auditor = browser(staff_of(elsewhere)), browser(member(OrgRole.AUDITOR))
    new = {"cohort": str(it.cohort.id), "template": str(it.template.id)}

    foreign = {
        stranger.get(f"{ADMIN}/assessmentwindow/{window.id}/change/").status_code,
        stranger.post(f"{ADMIN}/assessmentwindow/{window.id}/remove/").status_code,
        stranger.get(f"{ADMIN}/accommodation/{granted.id}/change/").status_code,
        stranger.post(f"{ADMIN}/accommodation/{granted.id}/end/").status_code,
        auditor.post(f"{ADMIN}/accommodation/{granted.id}/end/").status_code,
        auditor.post(f"{ADMIN}/assessmentwindow/{window.id}/remove/").status_code,
        auditor.get(f"{ADMIN}/assessmentwindow/add/").status_code,
    }

    assert foreign == {404}
    assert "Select a valid choice." in text(stranger.post(f"{ADMIN}/assessmentwindow/add/", new))
    assert AssessmentWindow.objects.count() == 1


def test_pages_of_another_organisation_are_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = scene(WITH_ESSAY)
        attempt = theirs.graded(ANSWERS)
        task = task_of(attempt)
        window = AssessmentWindow.objects.create(cohort=theirs.cohort, template=theirs.template)
    owner = browser(member(OrgRole.OWNER))
    own = f"{ADMIN}/assessmentattempt/{attempt.id}"

    statuses = {
        owner.get(page(task)).status_code,
        owner.post(page(task), grade()).status_code,
        owner.post(page(task, "lease")).status_code,
        owner.post(page(task, "give-back")).status_code,
        owner.get(f"{own}/change/").status_code,
        owner.post(f"{own}/void/", {"reason": "R."}).status_code,
        owner.post(f"{own}/release/", {"is_released": "yes"}).status_code,
        owner.post(f"{ADMIN}/assessmentwindow/{window.id}/remove/").status_code,
    }

    assert statuses == {404}


@pytest.mark.parametrize("name", ["gradingtask", "assessmentattempt", "assessmentresult"])
@pytest.mark.parametrize("by", ["owner", "staff"])
def test_lists_take_the_same_statements_for_2_and_20_learners(name: str, by: str) -> None:
    it = scene(WITH_ESSAY)
    client = browser(member(OrgRole.OWNER) if by == "owner" else staff_of(it.cohort))
    taken = []
    for names in (["B0", "B1"], [f"C{number}" for number in range(18)]):
        for learner in names:
            another(it, learner).graded(ANSWERS)
        taken.append(statements(client, f"{ADMIN}/{name}/"))

    assert taken[0] == taken[1]


def test_a_lease_that_ran_out_is_free_again(it: Scene, grader: Client) -> None:
    task = task_of(it.graded(ANSWERS))
    GradingTask.objects.filter(id=task.id).update(
        leased_by=it.grader, leased_until=now() - timedelta(seconds=1)
    )

    assert "is grading this now" not in text(grader.get(page(task)))
    assert grader.post(f"{QUEUE}next/")["Location"] == page(task)
