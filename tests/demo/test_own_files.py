"""A cohort from somebody's own files."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.models import AssessmentVersion, BankItem, QuestionBank
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.roster.reader import read_roster
from apps.contacts.models import Contact
from apps.core.models import OutboxMessage
from apps.credentials.models import CertificationTemplateVersion
from apps.demo.own_files import (
    NoLearners,
    NoQuestions,
    NoSuchClass,
    Order,
    ProgramExists,
    TooFewQuestions,
    drawn,
    free_slug,
    run_cohort,
)
from apps.programs.models import Program
from apps.requirements.models import RequirementSetVersion
from tests.factories import NOON

pytestmark = pytest.mark.django_db

BANK = """
::Capital:: Which is the capital of France? {=Paris ~Lyon ~Nice}

::Pi:: Pi to two decimals? {#3.14:0.005}

::Match:: Match. {=a -> b =c -> d =e -> f}

::Why:: Why is the sky blue? {}
"""
ROSTER = "name,email\nAda,ada@example.org\nBoole,boole@example.org\nNobody,\n"


def order(**changes: object) -> Order:
    fields = {
        "program": "Sky and Earth",
        "questions": BANK.encode(),
        "questions_name": "bank.gift",
        "roster": read_roster(ROSTER.encode(), "roster.csv"),
        **changes,
    }
    return Order(**fields)


def counts() -> dict[str, int]:
    models = (Program, QuestionBank, BankItem, AssessmentVersion, Cohort, Contact, OutboxMessage)
    return {model.__name__: model._default_manager.count() for model in models}


def test_run_cohort_makes_everything_that_a_cohort_needs() -> None:
    run = run_cohort(order=order(pass_percent=Decimal("62.5")), at=NOON)

    cohort = Cohort.objects.get()
    version = AssessmentVersion.objects.get()
    assert (run.cohort_title, run.asked, run.is_whole, run.problem) == (
        "Sky and Earth",
        3,
        False,
        None,
    )
    assert [(q.title, q.outcome, q.code) for q in run.questions.questions] == [
        ("Capital", "imported", ""),
        ("Pi", "imported", ""),
        ("Match", "refused", "unsupported-kind"),
        ("Why", "imported", ""),
    ]
    assert run.roster is not None
    assert run.roster.counts == {"created": 2, "updated": 0, "unchanged": 0, "refused": 1}
    assert (cohort.title, cohort.status, cohort.starts_on) == ("Sky and Earth", "open", NOON.date())
    assert (version.pass_percent, version.definition.scoring_model) == (Decimal("62.5"), "mixed")
    assert [item.title for item in version.items.order_by("position")] == ["Capital", "Pi", "Why"]
    assert sorted(RequirementSetVersion.objects.values_list("definition__purpose", "status")) == [
        ("certification", "published"),
        ("progression", "published"),
    ]
    assert CertificationTemplateVersion.objects.get().status == "published"
    assert list(
        CohortEnrollment.objects.order_by("contact__display_name").values_list(
            "contact__display_name", "state"
        )
    ) == [("Ada", "enrolled"), ("Boole", "enrolled")]


def test_run_cohort_dry_reports_the_same_and_changes_nothing() -> None:
    before = counts()

    dry = run_cohort(order=order(), at=NOON, dry_run=True)

    assert counts() == before
    real = run_cohort(order=order(), at=NOON)
    assert dry.roster is not None
    assert real.roster is not None
    assert dry.roster.outcomes == real.roster.outcomes
    assert (dry.questions, dry.asked) == (real.questions, real.asked)


def test_run_cohort_asks_as_many_questions_as_are_to_be_drawn() -> None:
    run = run_cohort(order=order(draw=2), at=NOON)

    version = AssessmentVersion.objects.get()
    assert (run.asked, version.items.count()) == (2, 2)


@given(count=st.integers(1, 20), seed=st.text(max_size=10))
def test_drawn_keeps_the_order_and_draws_the_same_again(count: int, seed: str) -> None:
    bank = [BankItem(key=f"question-{number}") for number in range(20)]

    some = drawn(bank, count, seed=seed)

    assert some == [item for item in bank if item in some]
    assert (len(some), drawn(bank, count, seed=seed)) == (count, some)
    assert drawn(bank, None, seed=seed) == bank


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"questions": b"::M:: Match. {=a -> b =c -> d =e -> f}"}, NoQuestions),
        ({"draw": 9}, TooFewQuestions),
        ({"roster": read_roster(b"name,email\nNobody,\n", "r.csv")}, NoLearners),
        (
            {"roster": read_roster(b"name,email,role\nT,t@example.org,guardian\n", "r.csv")},
            NoLearners,
        ),
    ],
)
def test_run_cohort_reports_files_of_which_nothing_can_be_used(
    changes: dict[str, object], problem: type[Exception]
) -> None:
    before = counts()

    run = run_cohort(order=order(**changes), at=NOON)

    assert type(run.problem) is problem
    assert counts() == before


def test_run_cohort_refuses_a_program_that_is_there() -> None:
    run_cohort(order=order(), at=NOON)
    before = counts()

    with pytest.raises(ProgramExists):
        run_cohort(order=order(), at=NOON)

    assert counts() == before


def test_run_cohort_takes_the_class_that_was_chosen() -> None:
    roster = read_roster(
        b"name,email,class\nAda,ada@example.org,Red\nBoole,boole@example.org,Blue\n", "r.csv"
    )

    with pytest.raises(NoSuchClass) as refused:
        run_cohort(order=order(roster=roster, class_id="Green"), at=NOON)
    run = run_cohort(order=order(roster=roster, class_id="Blue"), at=NOON)

    assert refused.value.extensions == {
        "classes": [{"id": "Red", "title": "Red"}, {"id": "Blue", "title": "Blue"}]
    }
    assert run.cohort_title == "Blue"
    assert [e.contact.display_name for e in CohortEnrollment.objects.all()] == ["Boole"]


def test_run_cohort_finds_free_short_names() -> None:
    run_cohort(order=order(cohort="Spring"), at=NOON)
    run_cohort(order=order(cohort="Spring", program="Another"), at=NOON)

    assert sorted(Cohort.objects.values_list("slug", flat=True)) == ["spring", "spring-2"]
    assert free_slug(Cohort, "spring") == "spring-3"
    assert free_slug(Cohort, "spr") == "spr"
