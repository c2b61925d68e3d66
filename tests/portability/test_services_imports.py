"""Packages taken in: what is made, what is found, what is refused, and that all or nothing is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model
from hypothesis import HealthCheck, given, settings

from apps.assessment.models import AssessmentPlacement, BankItem, QuestionBank
from apps.contacts.models import AdminAction
from apps.core.models import VersionStatus
from apps.core.tenancy import tenant_context
from apps.core.versions import new_draft, publish, retire
from apps.credentials.models import CertificationTemplateVersion
from apps.organizations.models import Organization
from apps.portability.content import (
    AssessmentContent,
    Course,
    Edge,
    Edition,
    Node,
    PackageContent,
    RequirementsContent,
)
from apps.portability.faults import PackageRefused
from apps.portability.format import Package, pack, unpack
from apps.portability.models import ImportedDefinition, PackageImport
from apps.portability.report import ImportReport
from apps.portability.selectors.export import export_course, export_program
from apps.portability.services import CatalogSource, Options, import_package
from apps.portability.vocabulary import OnConflict, PackageKind
from apps.programs.models import Course as CourseRow
from apps.programs.models import CourseVersion, Program, ProgramVersion
from apps.requirements.models import RequirementSetVersion
from tests.factories import NOON, contact, some_uuid
from tests.portability.contents import (
    BANK,
    CERTIFICATE,
    CERTIFYING,
    FIRST_AID,
    ONE_COURSE,
    PROGRESSION,
    QUIZ,
    WHOLE,
    packages,
    with_course,
    with_item,
)
from tests.portability.transactions import undone
from tests.programs.factories import published_course
from tests.walls.world import picture

pytestmark = pytest.mark.django_db

VERSIONED = (CourseVersion, ProgramVersion, RequirementSetVersion, CertificationTemplateVersion)


def taken_in(
    content: PackageContent, *, dry_run: bool = False, options: Options | None = None
) -> ImportReport:
    package: Package = unpack(pack(content))
    return import_package(package=package, actor=None, at=NOON, options=options, dry_run=dry_run)


def outcomes(report: ImportReport) -> dict[str, str]:
    return {part.file: part.outcome.value for part in report.parts}


def changed_outcomes(report: ImportReport) -> dict[str, str]:
    return {file: told for file, told in outcomes(report).items() if told != "unchanged"}


def refusals(content: PackageContent, options: Options | None = None) -> list[tuple[str, str]]:
    with pytest.raises(PackageRefused) as caught:
        taken_in(content, options=options)
    return [(error["field"], error["code"]) for error in caught.value.errors]


def exported(content: PackageContent) -> bytes:
    """Return the package of what was imported, as this organisation exports it."""
    if content.kind == PackageKind.COURSE:
        course = CourseRow.objects.get(slug=content.root)
        return pack(export_course(course.versions.latest_published()))
    program = Program.objects.get(slug=content.root)
    return pack(export_program(program.versions.latest_published()))


def versions_of(slug: str) -> list[tuple[int | None, str]]:
    rows = CourseVersion.objects.filter(definition__slug=slug).order_by("created_at")
    return list(rows.values_list("number", "status"))


def retitled(title: str) -> PackageContent:
    """Return the course's package with another text and title."""
    changed = with_item(ONE_COURSE, "first-aid", "welcome", body_markdown="Other words.")
    [course] = changed.courses
    return with_course(changed, replace(course, title=title))


@pytest.mark.parametrize("content", [WHOLE, ONE_COURSE], ids=["program", "course"])
def test_a_package_comes_out_as_it_came_in(content: PackageContent, org_b: Organization) -> None:
    report = taken_in(content)

    assert set(outcomes(report).values()) == {"created"}
    first = exported(content)
    assert first == pack(content)
    with tenant_context(org_b):
        import_package(package=unpack(first), actor=None, at=NOON)
        assert exported(content) == first


@given(content=packages())
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_package_comes_out_as_it_came_in(content: PackageContent) -> None:
    with undone():
        taken_in(content)
        assert exported(content) == pack(content)
        assert set(outcomes(taken_in(content)).values()) == {"unchanged"}


def test_what_is_imported_is_published_by_the_actor_and_on_record() -> None:
    author = contact("Ada")

    report = import_package(package=unpack(pack(ONE_COURSE)), actor=author, at=NOON)

    version = CourseVersion.objects.get()
    assert (version.number, version.published_by, version.published_at) == (1, author, NOON)
    assert version.definition.created_by == author
    actions = AdminAction.objects.filter(actor=author).order_by("id").values_list("action")
    assert [action for (action,) in actions] == [
        "questionbank.created",
        "course.created",
        "assessmenttemplate.created",
        "assessmentversion.published",
        "courseversion.published",
        "package.imported",
    ]
    row = PackageImport.objects.get(id=report.import_id)
    assert (row.kind, row.slug, row.digest, row.actor, row.counts) == (
        "course",
        "first-aid",
        unpack(pack(ONE_COURSE)).digest,
        author,
        {"created": 3},
    )
    assert row.parts == [part.as_data() for part in report.parts]


def test_a_dry_run_tells_the_same_and_changes_nothing() -> None:
    before = picture()

    tried = taken_in(WHOLE, dry_run=True)

    assert picture() == before
    assert (tried.is_dry_run, tried.import_id) == (True, None)
    assert outcomes(tried) == outcomes(taken_in(WHOLE))


def test_the_same_package_again_changes_nothing_but_the_record_of_it() -> None:
    taken_in(WHOLE)
    before = picture()

    again = taken_in(WHOLE)

    assert set(outcomes(again).values()) == {"unchanged"}
    same = set(before) - {"package_imports", "admin_actions"}
    assert {table: picture()[table] for table in same} == {t: before[t] for t in same}


def test_a_changed_package_makes_a_new_version_of_what_changed_and_of_what_pins_it() -> None:
    taken_in(WHOLE)
    changed = with_item(WHOLE, "first-aid", "welcome", body_markdown="Other words.")

    report = taken_in(changed)

    assert changed_outcomes(report) == {
        "courses/first-aid.json": "new_version",
        "programs/responder.json": "new_version",
    }
    assert versions_of("first-aid") == [(1, "published"), (2, "published")]
    assert exported(changed) == pack(changed)
    [course] = [part for part in report.parts if part.file == "courses/first-aid.json"]
    [difference] = course.differences
    assert [(c.part, c.key, [f.field for f in c.fields]) for c in difference.changes] == [
        ("module item", "welcome", ["body_markdown"])
    ]


def test_a_changed_assessment_moves_the_courses_that_place_it() -> None:
    taken_in(ONE_COURSE)
    stricter = replace(QUIZ.editions[0].content, pass_percent=Decimal(90))
    changed = replace(ONE_COURSE, assessments=(replace(QUIZ, editions=(Edition(1, stricter),)),))

    assert changed_outcomes(taken_in(changed)) == {
        "assessments/quiz.json": "new_version",
        "courses/first-aid.json": "new_version",
    }
    placed = AssessmentPlacement.objects.order_by("version__number")
    assert [row.assessment_version.number for row in placed] == [1, 2]
    assert taken_in(ONE_COURSE).counts == {"unchanged": 3}, "version 1 still says the old package"


def test_two_editions_of_one_assessment_stay_apart() -> None:
    stricter = AssessmentContent(pass_percent=Decimal(90), items=QUIZ.editions[0].content.items)
    two = replace(QUIZ, editions=(*QUIZ.editions, Edition(2, stricter)))
    content = with_item(
        replace(WHOLE, assessments=(*[a for a in WHOLE.assessments if a.slug != "quiz"], two)),
        "second-aid",
        "exam",
        assessment=replace(FIRST_AID.content.modules[1].items[1].assessment, edition=2),  # type: ignore[type-var]
    )

    taken_in(content)

    assert exported(content) == pack(content)
    assert set(outcomes(taken_in(content)).values()) == {"unchanged"}


def test_titles_follow_the_newest_package_only() -> None:
    taken_in(ONE_COURSE)

    renamed = with_course(ONE_COURSE, replace(FIRST_AID, title="First Aid for All"))
    assert changed_outcomes(taken_in(renamed)) == {"courses/first-aid.json": "updated"}
    taken_in(retitled("Newest"))
    assert changed_outcomes(taken_in(renamed)) == {}

    assert CourseRow.objects.get().title == "Newest"


def test_an_import_is_all_or_nothing() -> None:
    hopeless = replace(
        PROGRESSION,
        content=RequirementsContent(
            PROGRESSION.content.nodes,
            (Edge("first", "second", "prerequisite"), Edge("second", "first", "prerequisite")),
        ),
    )
    content = replace(WHOLE, requirement_sets=(CERTIFYING, hopeless))
    before = picture()

    assert refusals(content) == [("requirement-sets/ladder.json", "cycle")]
    assert picture() == before
    tried = taken_in(content, dry_run=True)
    assert {part.file: part.outcome.value for part in tried.parts if part.faults} == {
        "requirement-sets/ladder.json": "refused"
    }


def test_what_needs_a_refused_part_is_refused_for_that() -> None:
    asked = Node(key="held", kind="credential_held", title="Held", credential_program="lifeguard")
    needy = replace(CERTIFYING, content=RequirementsContent((replace(asked, is_root=True),)))
    content = replace(WHOLE, requirement_sets=(needy, PROGRESSION))

    assert refusals(content) == [
        ("requirement-sets/certifying.json#/content/nodes/0/credential_program", "dangling"),
        ("certifications/responder.json", "needs-refused"),
    ]


def test_a_program_outside_the_package_is_found_by_its_short_name() -> None:
    taken_in(with_root("lifeguard"))
    asked = Node(
        key="held",
        kind="credential_held",
        title="Held",
        credential_program="lifeguard",
        is_root=True,
    )
    content = replace(
        WHOLE,
        requirement_sets=(
            replace(CERTIFYING, content=RequirementsContent((asked,))),
            PROGRESSION,
        ),
    )

    taken_in(content)

    assert exported(content) == pack(content)


def with_root(slug: str) -> PackageContent:
    """Return a small program of this short name."""
    [program] = WHOLE.programs
    pins = program.content.courses[:1]
    program = replace(program, slug=slug, content=replace(program.content, courses=pins))
    return PackageContent(PackageKind.PROGRAM, slug, (FIRST_AID,), (QUIZ,), (BANK,), (program,))


def test_a_short_name_of_somebody_else_is_refused_or_gets_a_number() -> None:
    published_course("first-aid")

    assert refusals(ONE_COURSE) == [
        ("courses/first-aid.json#/slug", "slug-taken"),
        ("assessments/quiz.json", "needs-refused"),
    ]
    report = taken_in(ONE_COURSE, options=Options(on_conflict=OnConflict.RENAME))

    assert report.root.slug == "first-aid-2"
    assert versions_of("first-aid") == [(1, "published")]
    assert versions_of("first-aid-2") == [(1, "published")]
    again = taken_in(retitled("Again"))
    assert (again.root.slug, again.root.outcome) == ("first-aid-2", "new_version")


def test_the_own_export_is_recognised_and_a_change_of_it_is_the_next_version() -> None:
    version = published_course("knots")
    own = pack(export_course(version))

    assert import_package(package=unpack(own), actor=None, at=NOON).counts == {"unchanged": 1}
    content = unpack(own).content
    [course] = content.courses
    changed = with_course(
        content, replace(course, content=replace(course.content, summary="All about knots."))
    )
    assert taken_in(changed).root.versions == ("v2",)
    assert not ImportedDefinition.objects.exists()


def test_a_definition_of_another_kind_is_refused() -> None:
    taken_in(WHOLE)
    diploma = replace(CERTIFICATE, type="certificate")

    assert refusals(replace(WHOLE, certifications=(diploma,))) == [
        ("certifications/responder.json#/type", "of-another-kind")
    ]


def test_drafts_can_be_left_and_published_by_the_next_import() -> None:
    report = taken_in(WHOLE, options=Options(leaves_drafts=True))

    drafts = {
        model.__name__: set(model._default_manager.values_list("status", flat=True))
        for model in VERSIONED
    }
    assert drafts == {model.__name__: {VersionStatus.DRAFT} for model in VERSIONED}
    assert {part.versions for part in report.parts if part.file.startswith("assess")} == {("v1",)}
    again = taken_in(WHOLE, options=Options(leaves_drafts=True))
    assert again.counts == {"unchanged": 9}

    published = taken_in(WHOLE)

    assert published.counts == {"new_version": 6, "unchanged": 3}
    assert exported(WHOLE) == pack(WHOLE)


def test_a_draft_that_says_something_else_is_not_overwritten() -> None:
    taken_in(ONE_COURSE)
    new_draft(definition=CourseRow.objects.get(), actor=None, at=NOON)
    CourseVersion.objects.filter(status="draft").update(summary="Half written")

    assert refusals(retitled("Other")) == [("courses/first-aid.json", "draft-exists")]
    assert taken_in(ONE_COURSE).counts == {"unchanged": 3}


def test_a_retired_version_is_kept_where_it_is_pinned_but_nothing_new_points_at_it() -> None:
    taken_in(WHOLE)
    version = CourseVersion.objects.get(definition__slug="first-aid")
    retire(version=version, actor=None, at=NOON)

    assert taken_in(WHOLE).counts == {"unchanged": 9}
    assert exported(WHOLE) == pack(WHOLE)
    again = taken_in(ONE_COURSE)
    assert (again.root.outcome, again.root.versions) == ("new_version", ("v2",))


def test_questions_that_are_different_here_are_kept() -> None:
    taken_in(ONE_COURSE)
    BankItem.objects.update(prompt_markdown="Corrected here.")
    more = replace(BANK.questions[0], key="capital-2")
    grown = replace(ONE_COURSE, banks=(replace(BANK, questions=(*BANK.questions, more)),))

    report = taken_in(grown)

    [bank] = [part for part in report.parts if part.file == "banks/europe.json"]
    assert (bank.outcome, bank.notes) == (
        "updated",
        ("1 new question", "Different here, and kept as they are: capital"),
    )
    prompts = BankItem.objects.order_by("key").values_list("key", "prompt_markdown")
    assert dict(prompts) == {
        "capital": "Corrected here.",
        "capital-2": BANK.questions[0].prompt_markdown,
    }


def test_an_archived_question_of_the_bank_changes_no_assessment() -> None:
    taken_in(ONE_COURSE)
    BankItem.objects.update(archived_at=NOON)

    assert taken_in(ONE_COURSE).counts == {"unchanged": 3}
    assert QuestionBank.objects.count() == 1
    assert export_course(CourseVersion.objects.get()).banks == ()


# --- From the catalog ----------------------------------------------------------------------------


def from_catalog(course_id: Any, number: int = 1) -> Options:
    return Options(catalog=CatalogSource(course_id, some_uuid(), number))


def test_a_course_from_the_catalog_never_touches_what_is_there() -> None:
    taken_in(ONE_COURSE)
    before = picture()
    catalog = some_uuid()

    report = taken_in(ONE_COURSE, options=from_catalog(catalog))

    assert {part.file: (part.outcome.value, part.slug) for part in report.parts} == {
        "banks/europe.json": ("created", "europe-2"),
        "assessments/quiz.json": ("created", "quiz-2"),
        "courses/first-aid.json": ("created", "first-aid-2"),
    }
    assert picture()["bank_items"] != before["bank_items"]
    assert versions_of("first-aid") == [(1, "published")]
    updated = taken_in(retitled("Newer"), options=from_catalog(catalog, 2))
    assert changed_outcomes(updated) == {"courses/first-aid.json": "new_version"}
    assert versions_of("first-aid-2") == [(1, "published"), (2, "published")]
    numbers = PackageImport.objects.order_by("recorded_at").values_list("catalog_number")
    assert [number for (number,) in numbers] == [None, 1, 2]


def test_a_file_does_not_change_what_is_adopted_from_the_catalog() -> None:
    taken_in(ONE_COURSE, options=from_catalog(some_uuid()))

    assert taken_in(ONE_COURSE).counts == {"unchanged": 3}
    assert refusals(retitled("Other")) == [("courses/first-aid.json", "adopted")]


def test_what_was_imported_keeps_its_origin_and_what_was_renamed_loses_it(
    org_a: Organization,
) -> None:
    taken_in(ONE_COURSE)
    version = CourseVersion.objects.get()

    def origin() -> str:
        course: Course = export_course(version).courses[0]
        return course.origin

    assert origin() == FIRST_AID.origin
    CourseRow.objects.update(slug="own-name")
    version.definition.refresh_from_db()
    assert origin() == "a@localhost"


def test_a_version_published_here_is_exported_under_the_origin_it_has() -> None:
    taken_in(ONE_COURSE)
    draft: Any = new_draft(definition=CourseRow.objects.get(), actor=None, at=NOON)
    CourseVersion.objects.filter(id=draft.id).update(summary="Ours")
    publish(version=draft, actor=None, at=NOON)

    newest: Any = CourseRow.objects.get().versions.latest_published()
    assert isinstance(newest, Model)
    assert export_course(newest).courses[0].origin == FIRST_AID.origin
