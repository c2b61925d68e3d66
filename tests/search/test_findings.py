"""Who finds what, in which order, and how it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from apps.cohorts.models import CohortStatus
from apps.cohorts.services import end_cohort, withdraw
from apps.contacts.models import Contact
from apps.core.tenancy import tenant_context
from apps.core.versions import publish
from apps.organizations.models import OrgRole
from apps.programs.models import ModuleItem
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.services import evaluate_enrollment
from apps.search.languages import Language
from apps.search.rules import read_query
from apps.search.selectors.findings import Finding, search, search_as_learner, search_as_staff
from apps.search.services import change_language
from tests.assessment.factories import draft_assessment
from tests.cohorts.factories import NOON, person, principal_for
from tests.factories import member
from tests.programs.factories import AUTHORED, next_draft
from tests.requirements.factories import complete_item, published_set
from tests.requirements.graphs import before
from tests.search.factories import cohort_with, course_with, index_all, learner_of

pytestmark = pytest.mark.django_db


def titles(finding: Finding) -> list[tuple[str, str]]:
    return [(hit.kind, hit.title) for hit in finding[0:50]]


def staff(text: str, *kinds: str) -> list[tuple[str, str]]:
    return titles(search_as_staff(read_query(text), kinds))


def learner(contact: Contact, text: str, *kinds: str) -> list[tuple[str, str]]:
    return titles(search_as_learner(contact.id, read_query(text), kinds))


def test_words_are_found_in_all_their_forms_and_titles_come_first() -> None:
    course_with(
        {
            "About bandages": "How to stop bleeding.",
            "Bleeding": "Press on the wound.",
            "Fire": "Call for help.",
        }
    )

    assert staff("bleed") == [("lesson", "Bleeding"), ("lesson", "About bandages")]


def test_the_language_of_the_organisation_decides_about_forms() -> None:
    course_with({"Wohnen": "Die Häuser sind alt."})
    assert staff("Haus") == []

    change_language(language=Language.GERMAN, actor=member(OrgRole.OWNER))
    index_all()

    assert staff("Haus") == [("lesson", "Wohnen")]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ('"heavy bleeding"', ["One"]),
        ("bleeding -heavy", ["Two"]),
        ("fire or heavy", ["One", "Three"]),
        ("bleeding fire", []),
        ("& | ! ( ) : * <->", []),
        ("heavy:*", ["One"]),
        ("burns", ["Three"]),
        ("burns/scalds", ["Three"]),
    ],
)
def test_operators_mean_what_they_do_elsewhere(asked: str, found: list[str]) -> None:
    course_with(
        {"One": "Heavy bleeding.", "Two": "Bleeding, not so much.", "Three": "Fire, burns/scalds."}
    )

    assert sorted(title for _kind, title in staff(asked)) == sorted(found)


@pytest.mark.parametrize("asked", ["tourniqet", "tuorniquet", "torniquets"])
def test_a_misspelt_title_is_found_as_a_guess(asked: str) -> None:
    course_with({"The tourniquet": "Stops it.", "Fire": "Call for help."})

    finding = search_as_staff(read_query(asked))

    assert titles(finding) == [("lesson", "The tourniquet")]
    assert finding.is_guess


def test_a_match_of_words_comes_before_every_guess() -> None:
    course_with(
        {"Tourniquets": "How to bind.", "Shock": "Never use a tourniquets alone tourniquet"}
    )

    finding = search_as_staff(read_query("tourniquet"))

    assert titles(finding) == [("lesson", "Tourniquets"), ("lesson", "Shock")]
    assert not finding.is_guess


def test_an_excerpt_is_safe_whatever_the_lesson_says() -> None:
    course_with(
        {"<script>alert(1)</script> title": "Try `<script>alert('bleeding')</script>` \x02."}
    )

    (hit,) = search_as_staff(read_query("bleeding"))[0:5]

    assert hit.title_html == "&lt;script&gt;alert(1)&lt;/script&gt; title"
    assert hit.excerpt_html == (
        "Try &lt;script&gt;alert(&#x27;<mark>bleeding</mark>&#x27;)&lt;/script"
    )


def test_staff_find_the_newest_published_version_only_and_questions() -> None:
    first = course_with({"Bleeding": "Press."})
    publish(version=next_draft(first), actor=None, at=AUTHORED)
    publish(version=draft_assessment(), actor=None, at=AUTHORED)
    index_all()

    assert staff("bleeding") == [("lesson", "Bleeding")]
    assert staff("capital") == [("question", "Capital")]
    assert staff("capital", "lesson") == []
    assert staff("aid") == [("course", "First aid")]


def test_a_learner_finds_the_lessons_of_the_version_that_they_take() -> None:
    first = course_with({"Bleeding": "Press gently."})
    enrollment = learner_of(cohort_with(first), person("Ada"))
    draft = next_draft(first)
    ModuleItem.objects.filter(version=draft).update(body_markdown="Press harder.")
    publish(version=draft, actor=None, at=AUTHORED)
    course_with({"Bleeding too": "Elsewhere."}, slug="other")
    index_all()

    (hit,) = search_as_learner(enrollment.contact_id, read_query("bleeding"))[0:5]

    assert (hit.title, hit.excerpt_html, hit.enrollment_id, hit.within) == (
        "Bleeding",
        "Press gently.",
        enrollment.id,
        "First aid",
    )


def test_a_learner_finds_no_questions() -> None:
    enrollment = learner_of(cohort_with(course_with()), person("Ada"))
    publish(version=draft_assessment(), actor=None, at=AUTHORED)
    index_all()

    assert learner(enrollment.contact, "capital") == []
    assert learner(enrollment.contact, "capital", "question") == []


def test_a_learner_finds_programs_and_courses_that_they_take_or_may_begin() -> None:
    enrollment = learner_of(cohort_with(course_with()), person("Ada"))
    hidden = cohort_with(course_with(slug="hidden", title="Hidden aid"), slug="hidden-program")
    free = cohort_with(course_with(slug="free", title="Free aid"), slug="free-program")
    type(free).objects.filter(pk=free.pk).update(is_self_paced=True)

    assert learner(enrollment.contact, "aid") == [("course", "First aid"), ("course", "Free aid")]
    assert learner(enrollment.contact, "free-program") == [("program", "Free-Program")]
    assert learner(enrollment.contact, "hidden") == []
    assert learner(enrollment.contact, "tourniquet") == [("lesson", "Bleeding wounds")]
    assert hidden.status == CohortStatus.OPEN


def test_a_locked_lesson_is_never_found_until_it_opens() -> None:
    version = course_with({"First": "bleeding one", "Second": "bleeding two"})
    cohort = cohort_with(version)
    enrollment = learner_of(cohort, person("Ada"))
    course = version.definition_id
    published_set(
        cohort.program_version.definition,
        NodeSpec("one", NodeKind.ITEM_COMPLETED, course=course, item_key="lesson-1"),
        NodeSpec("two", NodeKind.ITEM_COMPLETED, course=course, item_key="lesson-2"),
        before("one", "two"),
    )
    evaluate_enrollment(enrollment.id, at=NOON)
    assert learner(enrollment.contact, "bleeding") == [("lesson", "First")]
    assert learner(enrollment.contact, "secund") == []

    complete_item(enrollment, "lesson-1")

    assert sorted(learner(enrollment.contact, "bleeding")) == [
        ("lesson", "First"),
        ("lesson", "Second"),
    ]
    assert learner(enrollment.contact, "secund") == [("lesson", "Second")]


@pytest.mark.parametrize("leaves", [True, False])
def test_who_does_not_take_part_finds_no_lessons(leaves: bool) -> None:
    cohort = cohort_with(course_with())
    ada = person("Ada")
    if leaves:
        withdraw(enrollment=learner_of(cohort, ada), actor=None, at=NOON)

    assert learner(ada, "tourniquet") == []


def test_who_took_part_to_the_end_goes_on_finding_lessons() -> None:
    cohort = cohort_with(course_with())
    ada = learner_of(cohort, person("Ada")).contact
    end_cohort(cohort=cohort, actor=None, at=NOON)

    assert learner(ada, "tourniquet") == [("lesson", "Bleeding wounds")]


def test_what_is_taken_under_an_alias_is_found() -> None:
    enrollment = learner_of(cohort_with(course_with()), person("Ada"))
    survivor = person("Ada again")
    Contact.objects.filter(pk=enrollment.contact_id).update(merged_into=survivor)

    assert learner(survivor, "tourniquet") == [("lesson", "Bleeding wounds")]


def test_search_asks_the_role() -> None:
    cohort = cohort_with(course_with())
    ada = learner_of(cohort, person("Ada")).contact
    course_with({"Bleeding too": "Elsewhere."}, slug="other")
    query = read_query("bleeding")

    assert len(search(principal_for(ada, OrgRole.LEARNER), query)) == 1
    for role in (OrgRole.OWNER, OrgRole.ADMIN, OrgRole.INSTRUCTOR, OrgRole.AUDITOR):
        assert len(search(principal_for(ada, role), query)) == 2


def test_nobody_finds_what_another_organisation_has(org_b: Any) -> None:
    with tenant_context(org_b):
        course_with()
        assert staff("tourniquet") == [("lesson", "Bleeding wounds")]

    assert staff("tourniquet") == []


@pytest.mark.parametrize("count", [2, 20])
def test_statements_do_not_depend_on_the_hits(count: int, django_assert_num_queries: Any) -> None:
    version = course_with({f"Bleeding {n}": "Press." for n in range(count)})
    enrollment = learner_of(cohort_with(version), person("Ada"))
    query = read_query("bleeding")

    with django_assert_num_queries(4):
        assert len(search_as_staff(query)[0:20]) == count
    with django_assert_num_queries(12):
        assert len(search_as_learner(enrollment.contact_id, query)[0:20]) == count
