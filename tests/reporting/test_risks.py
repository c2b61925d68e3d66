"""Who is at risk, by which rule, from which threshold on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from apps.assessment.rules.policy import WindowTerms
from apps.assessment.services import open_window
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import enroll, withdraw
from apps.contacts.models import AdminAction
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.organizations.models import OrgRole
from apps.reporting.models import RiskThresholds
from apps.reporting.risks import Risk, RiskKind, Thresholds
from apps.reporting.selectors.dashboards import Scope
from apps.reporting.selectors.risks import at_risk
from apps.reporting.services import set_thresholds
from apps.requirements.graph import NodeKind, NodeSpec
from tests.assessment.factories import RIGHT, WRONG, Scene, scene, staff_of
from tests.clients import api, browser, problem_of
from tests.cohorts.factories import NOON, open_cohort, person
from tests.factories import member
from tests.outbox import drain
from tests.programs.factories import published_course, published_program
from tests.programs.statements import statements
from tests.requirements.factories import (
    DAY,
    attend,
    complete_item,
    program_of,
    published_set,
    sessions_of,
)
from tests.requirements.graphs import before, signoff

pytestmark = pytest.mark.django_db

NEVER = Thresholds(None, None, None, None, None)
ATTENDANCE = NodeSpec("there", NodeKind.ATTENDANCE, title="Be there", attendance_count=2)
EVERYWHERE = Scope()


@pytest.fixture
def it() -> Scene:
    """Ada, who has to be at two sessions of three."""
    found = scene(attempts_allowed=None)
    published_set(program_of(found.enrollment), ATTENDANCE)
    drain()
    return found


def reasons(it: Scene, only: Thresholds, at: Any = NOON) -> list[Risk]:
    """Return Ada's reasons under these thresholds."""
    set_thresholds(cohort=it.cohort, thresholds=only, actor=it.grader)
    return [risk for one in at_risk(EVERYWHERE, at=at) for risk in one.risks]


@pytest.mark.parametrize(
    ("said", "misses_left", "count", "sentence"),
    [
        ([], 1, None, ""),
        (["present"], 1, None, ""),
        (["absent"], None, None, ""),
        (["absent"], 0, 0, "“Be there”: no session can be missed any more."),
        (["present", "absent"], 1, 0, "“Be there”: no session can be missed any more."),
        (["absent", "absent"], 0, -1, "“Be there” can no longer be met."),
        (["absent", "present", "present"], 1, None, ""),
    ],
)
def test_attendance_is_a_worry_once_a_session_was_missed(
    it: Scene, said: list[str], misses_left: int | None, count: int | None, sentence: str
) -> None:
    sessions = sessions_of(it.enrollment, 3)
    for session, status in zip(sessions, said, strict=False):
        attend(it.enrollment, session, status, by=it.grader)

    found = reasons(it, replace(NEVER, misses_left=misses_left))

    expected = [] if count is None else [Risk(RiskKind.ATTENDANCE, "Be there", count)]
    assert found == expected
    assert [risk.sentence for risk in found] == ([sentence] if sentence else [])


def test_whoever_does_nothing_for_a_while_is_at_risk_from_the_day_on(it: Scene) -> None:
    complete_item(it.enrollment, "intro", at=NOON + 3 * DAY)
    drain()
    only = replace(NEVER, inactive_days=10)

    assert reasons(it, only, NOON + 12 * DAY) == []
    [found] = reasons(it, only, NOON + 13 * DAY)
    assert found == Risk(RiskKind.INACTIVE, count=10, on=date(2026, 3, 5))
    assert found.sentence == "No activity for 10 days."


def test_a_final_result_that_is_not_enough_is_a_risk_until_it_is_passed(it: Scene) -> None:
    only = replace(NEVER, failed_results=1)
    it.graded(WRONG)
    drain()
    [found] = reasons(it, only)
    two = reasons(it, replace(NEVER, failed_results=2))
    it.graded(RIGHT, at=NOON + DAY)
    drain()

    assert (found.kind, found.about, found.percent) == (RiskKind.FAILED, "Quiz", 0)
    assert found.sentence == "“Quiz” was not passed (0 %)."
    assert (two, reasons(it, only, NOON + DAY)) == ([], [])


def test_what_was_due_and_not_handed_in_is_overdue(it: Scene) -> None:
    open_window(
        cohort=it.cohort,
        template=it.template,
        terms=WindowTerms(opens_at=NOON, due_at=NOON + 2 * DAY),
        actor=it.grader,
    )
    only = replace(NEVER, overdue_days=1)

    early = reasons(it, only, NOON + 3 * DAY)
    [found] = reasons(it, only, NOON + 3 * DAY + timedelta(hours=1))
    it.submit(it.start(NOON + 3 * DAY), NOON + 3 * DAY)

    assert early == []
    assert found == Risk(RiskKind.OVERDUE, "Quiz", 1, date(2026, 3, 4))
    assert found.sentence == "“Quiz” was due on 4 March 2026."
    assert reasons(it, only, NOON + 4 * DAY) == []


def test_what_is_locked_beyond_its_date_is_told_apart_from_what_was_open() -> None:
    it = scene()
    published_set(
        program_of(it.enrollment),
        signoff("first", title="Laboratory", deadline_on=date(2026, 3, 5)),
        signoff("second", title="Interview", deadline_on=date(2026, 3, 6)),
        before("first", "second"),
    )
    only = replace(NEVER, overdue_days=0, locked_days=0)

    found = reasons(it, only, NOON + 6 * DAY)

    assert [(risk.kind, risk.about, risk.on) for risk in found] == [
        (RiskKind.OVERDUE, "Laboratory", date(2026, 3, 5)),
        (RiskKind.LOCKED, "Interview", date(2026, 3, 6)),
    ]
    assert found[1].sentence == "“Interview” is still locked, and its date was 6 March 2026."


def test_who_has_left_or_is_through_is_at_no_risk(it: Scene) -> None:
    gone = enroll(cohort=it.cohort, contact=person("Gone"), actor=None, at=NOON)
    withdraw(enrollment=gone, actor=it.grader, at=NOON)
    complete_item(it.enrollment, "intro")
    drain()
    at = NOON + 30 * DAY
    before_that = [one.name for one in at_risk(EVERYWHERE, at=at)]
    it.graded(RIGHT)
    drain()

    assert before_that == ["Ada"]
    assert at_risk(EVERYWHERE, at=at) == []


def test_those_with_most_kinds_of_reason_come_first(it: Scene) -> None:
    enroll(cohort=it.cohort, contact=person("Aaron"), actor=None, at=NOON)
    it.graded(WRONG)
    drain()

    found = at_risk(EVERYWHERE, at=NOON + 30 * DAY)

    assert [(one.name, one.kinds) for one in found] == [
        ("Ada", [RiskKind.INACTIVE, RiskKind.FAILED]),
        ("Aaron", [RiskKind.INACTIVE]),
    ]


def test_set_thresholds_leaves_what_held_before_on_record(it: Scene) -> None:
    set_thresholds(cohort=it.cohort, thresholds=NEVER, actor=it.grader)
    set_thresholds(cohort=it.cohort, thresholds=Thresholds(), actor=it.grader)

    acts = AdminAction.objects.filter(action="cohort.risk_thresholds_set").order_by("recorded_at")
    assert [(act.details["before"], act.details["after"]) for act in acts] == [
        (vars(Thresholds()), vars(NEVER)),
        (vars(NEVER), vars(Thresholds())),
    ]


def address(cohort_id: object) -> str:
    return f"/v1/cohorts/{cohort_id}/risk-thresholds"


def test_api_tells_who_is_at_risk_and_takes_thresholds(it: Scene) -> None:
    client = api(staff_of(it.cohort))
    usual = client.get(address(it.cohort.id)).json()
    [found] = client.get("/v1/reports/at-risk", {"cohort": it.cohort.id}).json()["learners"]
    set_to = client.put(address(it.cohort.id), vars(NEVER))

    assert usual == vars(Thresholds())
    assert (found["name"], found["enrollment"]) == ("Ada", str(it.enrollment.id))
    days = (now().date() - NOON.date()).days
    assert found["risks"] == [
        {
            "kind": "inactive",
            "about": "",
            "count": days,
            "on": "2026-03-02",
            "percent": None,
            "sentence": f"No activity for {days} days.",
        }
    ]
    assert (set_to.status_code, set_to.json()) == (200, vars(NEVER))
    assert client.get("/v1/reports/at-risk").json() == {"learners": []}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"misses_left": -1}, "misses_left"),
        ({"inactive_days": 40_000}, "inactive_days"),
        ({"overdue_days": "soon"}, "overdue_days"),
        ({"colour": 1}, "colour"),
    ],
)
def test_api_refuses_thresholds_that_cannot_be(
    it: Scene, change: dict[str, Any], field: str
) -> None:
    asked = {**vars(Thresholds()), **change}
    answer = api(member(OrgRole.OWNER)).put(address(it.cohort.id), asked)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not RiskThresholds.objects.exists()


def test_only_who_runs_a_cohort_sets_its_thresholds(it: Scene) -> None:
    elsewhere = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    asked = vars(NEVER)

    stranger = api(staff_of(elsewhere))
    auditor = api(member(OrgRole.AUDITOR))
    assert problem_of(stranger.get(address(it.cohort.id)))[0] == 404
    assert problem_of(stranger.put(address(it.cohort.id), asked))[0] == 404
    assert auditor.get(address(it.cohort.id)).status_code == 200
    assert problem_of(auditor.put(address(it.cohort.id), asked))[0] == 403
    assert problem_of(auditor.get(address(uuid7())))[0] == 404
    assert api(member(OrgRole.LEARNER)).get("/v1/reports/at-risk").status_code == 403
    assert stranger.get("/v1/reports/at-risk").json() == {"learners": []}


@pytest.mark.parametrize("path", ["/v1/reports/at-risk", "/admin/reporting/riskthresholds/"])
def test_as_many_statements_for_twenty_as_for_two(it: Scene, path: str) -> None:
    owner = member(OrgRole.OWNER)
    client: Any = api(owner) if path.startswith("/v1") else browser(owner)

    def more(count: int) -> None:
        for number in range(count):
            contact = person(f"Learner-{count}-{number}")
            enroll(cohort=it.cohort, contact=contact, actor=None, at=NOON)
        drain()

    more(1)
    few = statements(client, path)
    more(18)

    assert statements(client, path) == few
    assert CohortEnrollment.objects.count() == 20


def test_back_office_lists_them_and_takes_thresholds(it: Scene) -> None:
    page = browser(staff_of(it.cohort))
    listed = page.get("/admin/reporting/riskthresholds/", {"cohort": it.cohort.id})
    sheet = page.get("/admin/reporting/riskthresholds/", {"csv": "1"}).content.decode("utf-8-sig")
    form = f"/admin/reporting/riskthresholds/{it.cohort.id}/"
    wrong = page.post(form, {"misses_left": "-1"})
    saved = page.post(form, {"inactive_days": ""}, follow=True)

    assert "No activity for" in listed.content.decode()
    assert form in listed.content.decode()
    assert sheet.splitlines()[0] == "Learner,Cohort,Last active,Kind,Reason"
    assert sheet.splitlines()[1].startswith("Ada,Spring,2026-03-02,no activity,No activity for")
    assert (wrong.status_code, "greater than or equal to 0" in wrong.content.decode()) == (
        200,
        True,
    )
    assert "Nobody is at risk." in saved.content.decode()
    assert RiskThresholds.objects.get().thresholds == NEVER
