"""Facts and reports about AI: what calls cost, what people thought, what came after tutoring."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.ai_logs.models import AiSession
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.prices import PriceTerms, enter_price
from apps.ai_logs.services.repricing import apply_cost_changes, cost_changes
from apps.ai_logs.services.sessions import SESSION_CHANGED
from apps.ai_logs.vocabulary import Rating
from apps.contacts.services import merge_contacts
from apps.core.ids import uuid7
from apps.organizations.models import OrgRole
from apps.reporting.models import FactAiUsage
from apps.reporting.selectors.ai_reports import (
    CostLine,
    QualityLine,
    TutoringLine,
    costs,
    quality,
    tutoring_before_a_pass,
)
from apps.reporting.selectors.ai_sources import COLUMNS
from apps.reporting.selectors.dashboards import Scope
from apps.reporting.services.ai_usage import rebuild_ai_usage, refresh_ai_usage
from tests.ai_logs.factories import MODEL, answered, asked, conversation, record, session
from tests.assessment.factories import RIGHT, WRONG, Scene, scene, staff_of
from tests.clients import api, browser
from tests.cohorts.factories import NOON, item_of
from tests.factories import contact, member
from tests.outbox import drain

pytestmark = pytest.mark.django_db

DAY, WEEK = timedelta(days=1), timedelta(days=7)
CALL = Decimal("0.00027")  # 1000 × 0.15 + 200 × 0.6 in millionths


@pytest.fixture
def it() -> Scene:
    return scene()


@pytest.fixture
def count_statements() -> Callable[[Callable[[], Any]], int]:
    def count(work: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as caught:
            work()
        return len(caught)

    return count


def tutored(it: Scene, *, at: Any = NOON - DAY, **terms: Any) -> AiSession:
    """Return a session of the scene's learner about a lesson, with two answers."""
    made = session(
        it.learner,
        enrollment=it.enrollment,
        module_item=item_of(it.cohort, "intro"),
        started_at=at,
        **terms,
    )
    record(made.id, asked("Why?", occurred_at=at), answered("So.", occurred_at=at))
    record(made.id, answered("And so.", occurred_at=at))
    return made


def facts() -> list[tuple[Any, ...]]:
    return list(FactAiUsage.objects.order_by(*COLUMNS[:4]).values_list(*COLUMNS))


def counted() -> None:
    drain(SESSION_CHANGED)


# --- Facts --------------------------------------------------------------------------------------


def test_the_pipeline_writes_what_a_conversation_used(it: Scene) -> None:
    made = tutored(it)
    answer = made.interactions.filter(role="assistant")[0]
    give_feedback(interaction=answer, contact=it.learner, rating=Rating.THUMBS_DOWN)
    give_feedback(interaction=answer, contact=it.learner, rating=Rating.THUMBS_UP)
    give_feedback(interaction=answer, contact=contact(), rating=Rating.FLAG)
    counted()

    item = item_of(it.cohort, "intro")
    assert facts() == [
        (
            made.id,
            (NOON - DAY).date(),
            "openai",
            MODEL,
            it.learner.id,
            it.enrollment.id,
            it.cohort.id,
            it.cohort.program_version.definition_id,
            item.version.definition_id,
            "tutoring",
            2,
            2000,
            400,
            2 * CALL,
            0,
            1,
            0,
            1,
        )
    ]


def test_a_rebuild_from_nothing_gives_the_same_rows(it: Scene) -> None:
    tutored(it)
    conversation()
    strange = session(contact())
    record(strange.id, answered("?", responded_model="nobody-knows", requested_model=""))
    [question] = record(strange.id, asked("Bad words"))
    give_feedback(interaction=question, contact=contact(), rating=Rating.FLAG)
    counted()
    before = facts()
    assert (len(before), rebuild_ai_usage()) == (4, 0)

    FactAiUsage.objects.all().delete()
    printed = StringIO()
    call_command("rebuild_facts", organization="a", stdout=printed)

    assert "fact_ai_usage 4" in printed.getvalue()
    assert facts() == before


def test_re_pricing_and_changed_minds_are_followed(it: Scene) -> None:
    made = tutored(it)
    counted()
    terms = PriceTerms("openai", MODEL, "output", NOON.date() - WEEK, Decimal(100), "USD")
    admin = member(OrgRole.ADMIN)
    enter_price(terms=terms, actor=admin)
    input_terms = PriceTerms("openai", MODEL, "input", NOON.date() - WEEK, Decimal(0), "USD")
    enter_price(terms=input_terms, actor=admin)
    apply_cost_changes(cost_changes())
    counted()

    assert FactAiUsage.objects.get(session=made).cost_usd == Decimal("0.04")


def test_the_database_refuses_a_fact_of_another_learner(it: Scene) -> None:
    tutored(it)
    counted()

    with pytest.raises(IntegrityError), transaction.atomic():
        FactAiUsage.objects.update(contact=contact())


def test_a_refresh_takes_as_many_statements_for_two_as_for_twenty() -> None:
    made = [conversation(contact()).id for _ in range(22)]
    counts = []
    for chosen in (made[:2], made[2:]):
        with CaptureQueriesContext(connection) as statements:
            assert refresh_ai_usage(chosen) == len(chosen)
        counts.append(len(statements))

    assert counts[0] == counts[1]


# --- Costs and quality --------------------------------------------------------------------------


def test_costs_are_told_by_everything(it: Scene) -> None:
    made = tutored(it)
    stray = conversation(contact("Zoe"))
    counted()
    item = item_of(it.cohort, "intro")

    def lines(by: str) -> list[tuple[str, int, Decimal]]:
        return [(line.key, line.calls, line.cost_usd) for line in costs(Scope(), by=by)]

    own, other = (2, 2 * CALL), (1, CALL)
    assert costs(Scope(), by="organization") == [CostLine("", "", 2, 3, 3000, 600, 3 * CALL, 0)]
    assert lines("day") == [
        ((NOON - DAY).date().isoformat(), *own),
        (NOON.date().isoformat(), *other),
    ]
    assert lines("session") == [(str(made.id), *own), (str(stray.id), *other)]
    assert lines("learner") == [(str(it.learner.id), *own), (str(stray.contact_id), *other)]
    assert lines("course") == [(str(item.version.definition_id), *own), ("", *other)]
    assert lines("cohort") == [(str(it.cohort.id), *own), ("", *other)]
    assert lines("model") == [(MODEL, 3, 3 * CALL)]
    assert costs(Scope(), by="session", limit=1)[0].key == str(made.id)
    assert costs(Scope(since=NOON.date()), by="organization")[0].calls == 1
    assert costs(Scope(cohorts=frozenset()), by="organization") == []


def test_a_person_with_aliases_is_one_learner(it: Scene) -> None:
    alias = contact("Ada too")
    conversation(alias)
    tutored(it)
    merge_contacts(source=alias, into=it.learner, actor=None)
    counted()

    [line] = costs(Scope(), by="learner")
    assert (line.key, line.label, line.calls) == (
        str(it.learner.id),
        it.learner.display_name,
        3,
    )


def test_quality_counts_what_each_person_thinks_now(it: Scene) -> None:
    first, second = tutored(it).interactions.filter(role="assistant").order_by("seq")
    people = [contact() for _ in range(3)]
    for person in people:
        give_feedback(interaction=first, contact=person, rating=Rating.THUMBS_UP)
    give_feedback(interaction=first, contact=people[0], rating=Rating.THUMBS_DOWN)
    give_feedback(interaction=second, contact=people[0], rating=Rating.FLAG)
    conversation(contact(), session_type="content_generation")
    counted()

    found = quality(Scope())
    assert found == [
        QualityLine("openai", MODEL, "tutoring", 2, 2, 1, 1, 2 * CALL),
        QualityLine("openai", MODEL, "content_generation", 1, 0, 0, 0, CALL),
    ]
    assert [line.rate for line in found] == [pytest.approx(2 / 3), None]


# --- Tutoring before a pass ---------------------------------------------------------------------


def test_tutoring_in_the_window_is_told_beside_the_base_rate(it: Scene) -> None:
    it.graded(WRONG, at=NOON)
    tutored(it, at=NOON + DAY)
    it.graded(RIGHT, at=NOON + 2 * DAY)

    [line] = tutoring_before_a_pass(Scope(), window=WEEK)

    course = item_of(it.cohort, "intro").version.definition
    assert line == TutoringLine(course.id, course.title, 2, 1, 1, 1)
    assert (line.base_rate, line.tutored_rate, line.untutored_rate) == (0.5, 1.0, 0.0)


@pytest.mark.parametrize(
    ("at", "terms", "tutored_count"),
    [
        (NOON - DAY, {}, 1),
        (NOON - 8 * DAY, {}, 0),
        (NOON + timedelta(minutes=1), {}, 0),
        (NOON - DAY, {"session_type": "assessment_review"}, 0),
    ],
)
def test_only_tutoring_within_the_window_before_counts(
    it: Scene, at: Any, terms: dict[str, Any], tutored_count: int
) -> None:
    tutored(it, at=at, **terms)
    it.graded(RIGHT, at=NOON)

    [line] = tutoring_before_a_pass(Scope(), window=WEEK)
    assert (line.attempts, line.passed, line.tutored) == (1, 1, tutored_count)


def test_tutoring_of_others_and_of_an_alias(it: Scene) -> None:
    conversation(contact(), module_item=item_of(it.cohort, "intro"), started_at=NOON - DAY)
    it.graded(RIGHT, at=NOON)
    assert tutoring_before_a_pass(Scope(), window=WEEK)[0].tutored == 0

    alias = contact("Ada too")
    conversation(alias, module_item=item_of(it.cohort, "intro"), started_at=NOON - DAY)
    merge_contacts(source=alias, into=it.learner, actor=None)
    assert tutoring_before_a_pass(Scope(), window=WEEK)[0].tutored == 1
    assert tutoring_before_a_pass(Scope(cohorts=frozenset()), window=WEEK) == []
    assert tutoring_before_a_pass(Scope(since=NOON.date() + DAY), window=WEEK) == []


# --- /v1 and back office ------------------------------------------------------------------------

PATHS = ("costs", "quality", "tutoring-before-a-pass")


def test_reports_are_told_over_the_api(it: Scene) -> None:
    tutored(it)
    it.graded(RIGHT, at=NOON)
    counted()
    client = api(staff_of(it.cohort))
    told = {name: client.get(f"/v1/ai/reports/{name}").json() for name in PATHS}

    assert told["costs"]["lines"][0]["cost_usd"] == "0.000540000000000000"
    assert told["quality"]["lines"][0]["calls"] == 2
    tutoring = told["tutoring-before-a-pass"]
    assert (tutoring["interpretation"], tutoring["window_days"]) == ("correlation", 7)
    assert (tutoring["lines"][0]["tutored_rate"], tutoring["lines"][0]["untutored_rate"]) == (
        1.0,
        None,
    )
    by_cohort = client.get("/v1/ai/reports/costs", {"by": "cohort"}).json()["lines"]
    assert [line["name"] for line in by_cohort] == [it.cohort.title]


def test_an_instructor_is_told_nothing_of_other_cohorts(it: Scene) -> None:
    tutored(it)
    it.graded(RIGHT, at=NOON)
    counted()
    stranger, learner = api(staff_of()), api(member(OrgRole.LEARNER))

    for name in PATHS:
        assert stranger.get(f"/v1/ai/reports/{name}").json()["lines"] == []
        assert learner.get(f"/v1/ai/reports/{name}").status_code == 403
        hidden = stranger.get(f"/v1/ai/reports/{name}", {"cohort": str(it.cohort.id)})
        assert hidden.status_code == 404


@pytest.mark.parametrize(
    ("path", "asked_for"),
    [
        ("costs", {"by": "planet"}),
        ("costs", {"limit": "0"}),
        ("costs", {"limit": "1001"}),
        ("quality", {"since": "soon"}),
        ("tutoring-before-a-pass", {"window_days": "0"}),
        ("tutoring-before-a-pass", {"window_days": "1" * 30}),
        ("tutoring-before-a-pass", {"cohort": str(uuid7()), "x": "y"}),
    ],
)
def test_a_report_that_makes_no_sense_is_refused(path: str, asked_for: dict[str, str]) -> None:
    answer = api(member(OrgRole.AUDITOR)).get(f"/v1/ai/reports/{path}", asked_for)

    assert answer.status_code == 422


PAGE = "admin:reporting_factaiusage_changelist"


def test_the_page_has_every_chart_with_its_table_and_csv(it: Scene) -> None:
    tutored(it)
    it.graded(RIGHT, at=NOON)
    counted()
    client = browser(member(OrgRole.AUDITOR))
    page = client.get(reverse(PAGE))
    keys = [chart.key for chart in page.context["charts"]]

    assert keys == [
        *(f"ai-cost-{by}" for by in (
            "organization", "day", "course", "cohort", "learner", "session", "model"
        )),
        "ai-quality",
        "ai-tutoring",
    ]  # fmt: skip
    assert b"A correlation, not an effect" in page.content
    assert b"$ 0.000540" in page.content
    for chart in page.context["charts"]:
        answer = client.get(reverse(PAGE), {"csv": chart.key})
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert rows[0] == list(chart.table.header)
        assert len(rows) == len(chart.table.rows) + 1 > 1
    assert client.get(reverse(PAGE), {"csv": "nothing"}).status_code == 404
    assert client.get(reverse(PAGE), {"window": "0"}).status_code == 200


def test_the_page_takes_as_many_statements_for_two_as_for_twenty(
    count_statements: Callable[[Callable[[], Any]], int],
) -> None:
    client = browser(member(OrgRole.ADMIN))
    for _ in range(2):
        conversation(contact())
    counted()
    client.get(reverse(PAGE))
    few = count_statements(lambda: client.get(reverse(PAGE)))
    for _ in range(18):
        conversation(contact())
    counted()

    assert count_statements(lambda: client.get(reverse(PAGE))) == few


def test_the_page_and_the_reports_of_an_organisation_without_ai_are_empty() -> None:
    auditor = member(OrgRole.AUDITOR)
    page = browser(auditor).get(reverse(PAGE))

    assert page.status_code == 200
    assert b"Nothing to count yet." in page.content
    assert [api(auditor).get(f"/v1/ai/reports/{name}").json()["lines"] for name in PATHS] == [
        [],
        [],
        [],
    ]


def test_strangers_do_not_see_the_page() -> None:
    assert browser(member(OrgRole.LEARNER)).get(reverse(PAGE)).status_code in (302, 403)
