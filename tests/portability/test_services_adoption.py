"""Courses of the catalog, adopted and brought up to date."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.services import withdraw_version
from apps.contacts.models import AdminAction, Contact
from apps.core.tenancy import connection, tenant_context
from apps.core.versions import VersionDiff, new_draft, publish
from apps.organizations.models import Organization
from apps.portability.faults import PackageRefused
from apps.portability.format import pack
from apps.portability.models import PackageImport
from apps.portability.selectors.adoptions import Adoption, adoptions, changed_here
from apps.portability.services import (
    AlreadyAdopted,
    NotAdopted,
    NothingNewer,
    adopt_course,
    preview_update,
    update_course,
)
from apps.programs.models import Course, CourseVersion, ModuleItem
from tests.catalog.factories import SECOND, course_of_another_name, in_catalog
from tests.factories import NOON, contact
from tests.portability.contents import ONE_COURSE
from tests.portability.test_services_imports import exported
from tests.programs.factories import published_course
from tests.walls.world import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Contact:
    return contact("Ada")


def adopted(version: CatalogCourseVersion, actor: Contact, **options: Any) -> Course:
    course, _is_new = adopt_course(version=version, actor=actor, at=NOON, **options)
    return course


def adoption(version: CatalogCourseVersion) -> Adoption:
    return adoptions()[version.course_id]


def edited_here(course: Course, key: str = "welcome", body: str = "Our words.") -> CourseVersion:
    draft = new_draft(definition=course, actor=None, at=NOON)
    ModuleItem.objects.filter(version=draft, key=key).update(body_markdown=body)
    published: Any = publish(version=draft, actor=None, at=NOON)
    return published


def changed_fields(diff: VersionDiff) -> list[tuple[str, str, str]]:
    return [(c.part, c.key, f.field) for c in diff.changes for f in c.fields]


def actions(course: Course) -> list[str]:
    rows = AdminAction.objects.filter(entity_id=course.pk).order_by("id")
    return list(rows.values_list("action", flat=True))


def test_an_adopted_course_is_published_with_its_provenance(ada: Contact) -> None:
    version = in_catalog()

    course = adopted(version, ada)

    assert exported(ONE_COURSE) == pack(ONE_COURSE)
    course.refresh_from_db()
    [own] = course.versions.all()
    assert (course.catalog_course_id, course.catalog_version_id) == (version.course_id, version.pk)
    assert (own.status, own.catalog_version_id, own.published_by) == ("published", version.pk, ada)
    assert actions(course) == ["course.created", "course.adopted"]
    row = PackageImport.objects.get()
    assert (row.catalog_version_id, row.catalog_number, row.actor) == (version.pk, 1, ada)
    stands = adoption(version)
    assert (stands.number, stands.newest, stands.draft, stands.has_update) == (
        1,
        version,
        None,
        False,
    )


def test_adopting_again_changes_nothing(ada: Contact) -> None:
    version = in_catalog()
    course = adopted(version, ada)
    before = picture()

    assert adopt_course(version=version, actor=ada, at=NOON) == (course, False)

    assert picture() == before


def test_another_version_of_an_adopted_course_is_no_adoption(ada: Contact) -> None:
    course = adopted(in_catalog(), ada)
    newer = in_catalog(SECOND)

    with pytest.raises(AlreadyAdopted) as caught:
        adopted(newer, ada)
    assert caught.value.extensions == {"course": str(course.pk)}
    assert adopted(newer, ada, is_this_one=False) == course


def test_an_own_course_of_the_same_name_stays(ada: Contact) -> None:
    own = published_course("first-aid").definition

    course = adopted(in_catalog(), ada)

    assert (own.slug, course.slug) == ("first-aid", "first-aid-2")
    assert course.versions.count() == own.versions.count() == 1


def test_a_course_may_be_adopted_as_a_draft(ada: Contact) -> None:
    version = in_catalog()

    course = adopted(version, ada, leaves_draft=True)

    assert (course.catalog_course_id, course.catalog_version_id) == (version.course_id, None)
    draft = course.versions.draft()
    stands = adoption(version)
    assert (stands.number, stands.draft, stands.draft_number, stands.has_update) == (
        None,
        draft,
        1,
        False,
    )
    publish(version=draft, actor=ada, at=NOON)
    assert adoption(version).number == 1


def test_a_newer_version_becomes_a_draft_that_an_author_publishes(ada: Contact) -> None:
    first = in_catalog()
    course = adopted(first, ada)
    [own] = course.versions.all()
    before = CourseVersion.objects.filter(pk=own.pk).values().get()
    second = in_catalog(SECOND)
    assert adoption(first).has_update

    updated = update_course(version=second, actor=ada, at=NOON)

    draft = updated.draft
    assert draft is not None
    assert (draft.is_draft, draft.catalog_version_id) == (True, second.pk)
    assert CourseVersion.objects.filter(pk=own.pk).values().get() == before
    course.refresh_from_db()
    assert course.catalog_version_id == first.pk
    stands = adoption(first)
    assert (stands.number, stands.draft_number, stands.has_update) == (1, 2, False)
    publish(version=draft, actor=ada, at=NOON)
    course.refresh_from_db()
    assert course.catalog_version_id == second.pk
    assert exported(ONE_COURSE) == pack(SECOND)
    assert actions(course)[-1] == "course.update-drafted"
    stands = adoption(first)
    assert (stands.number, stands.draft, stands.has_update) == (2, None, False)


def test_updating_again_returns_the_same_draft(ada: Contact) -> None:
    course = adopted(in_catalog(), ada)
    second = in_catalog(SECOND)
    updated = update_course(version=second, actor=ada, at=NOON)
    before = picture()

    again = update_course(version=second, actor=ada, at=NOON)

    assert again == replace(updated, is_new=False)
    assert picture() == before
    publish(version=course.versions.draft(), actor=ada, at=NOON)
    with pytest.raises(NothingNewer):
        update_course(version=second, actor=ada, at=NOON)


def test_only_what_is_newer_updates_what_is_adopted(ada: Contact) -> None:
    first, second = in_catalog(), in_catalog(SECOND)
    with pytest.raises(NotAdopted):
        update_course(version=second, actor=ada, at=NOON)
    adopted(second, ada)

    with pytest.raises(NothingNewer):
        update_course(version=first, actor=ada, at=NOON)
    with pytest.raises(NothingNewer):
        preview_update(version=second, actor=ada, at=NOON)


def test_a_version_that_says_the_same_needs_no_draft(ada: Contact) -> None:
    course = adopted(in_catalog(), ada)
    second = in_catalog(licence="CC0-1.0")

    updated = update_course(version=second, actor=ada, at=NOON)

    assert updated.draft is None
    course.refresh_from_db()
    assert course.catalog_version_id == second.pk
    assert actions(course)[-1] == "course.updated"
    edited_here(course)
    course.refresh_from_db()
    assert course.catalog_version_id == second.pk
    assert adoption(second).number == 2


def test_local_changes_keep_the_provenance_and_are_told(ada: Contact) -> None:
    first = in_catalog()
    course = adopted(first, ada)
    assert changed_here(course) == VersionDiff()

    own = edited_here(course, key="rules", body="Our rules.")

    course.refresh_from_db()
    assert (own.catalog_version_id, course.catalog_version_id) == (first.pk, first.pk)
    assert changed_fields(changed_here(course)) == [("module item", "rules", "body_markdown")]


def test_a_preview_tells_both_sides_and_changes_nothing(ada: Contact) -> None:
    course = adopted(in_catalog(), ada)
    edited_here(course, key="rules", body="Our rules.")
    second = in_catalog(SECOND)
    before = picture()

    preview = preview_update(version=second, actor=ada, at=NOON)

    assert picture() == before
    assert changed_fields(preview.upstream) == [("module item", "welcome", "body_markdown")]
    assert changed_fields(preview.local) == [("module item", "rules", "body_markdown")]
    assert (preview.adoption.number, preview.version) == (1, second)


def test_a_draft_in_the_way_is_never_overwritten(ada: Contact) -> None:
    course = adopted(in_catalog(), ada)
    second = in_catalog(SECOND)
    draft = new_draft(definition=course, actor=None, at=NOON)
    before = picture()

    with pytest.raises(PackageRefused, match="has a draft here that says something else"):
        update_course(version=second, actor=ada, at=NOON)

    assert picture() == before
    assert adoption(second).draft is None
    publish(version=draft, actor=None, at=NOON)
    assert update_course(version=second, actor=ada, at=NOON).draft is not None


def test_a_draft_that_says_the_same_becomes_the_update(ada: Contact) -> None:
    course = adopted(in_catalog(), ada)
    second = in_catalog(SECOND)
    draft = new_draft(definition=course, actor=None, at=NOON)
    ModuleItem.objects.filter(version=draft, key="welcome").update(body_markdown="Other words.")

    updated = update_course(version=second, actor=ada, at=NOON)

    assert updated.draft == draft
    publish(version=draft, actor=None, at=NOON)
    course.refresh_from_db()
    assert course.catalog_version_id == second.pk


def test_a_withdrawal_is_told_to_who_adopted(ada: Contact) -> None:
    first = in_catalog()
    course = adopted(first, ada)
    with connection.platform():
        withdraw_version(version=first, reason="A wrong dose.", actor_id=None)

    stands = adoption(first)

    assert stands.withdrawal is not None
    assert (stands.withdrawal.reason, stands.number, stands.newest) == ("A wrong dose.", 1, None)
    assert stands.has_update is False
    assert exported(ONE_COURSE) == pack(ONE_COURSE)
    second = in_catalog(SECOND)
    assert adoption(first).newest == second
    assert changed_here(course) == VersionDiff()


def test_each_organisation_adopts_for_itself(ada: Contact, org_b: Organization) -> None:
    version = in_catalog()
    adopted(version, ada)

    with tenant_context(org_b):
        assert adoptions() == {}
        adopted(version, contact("Boole"))
        assert list(adoptions()) == [version.course_id]


def test_one_course_here_for_one_course_of_the_catalog(ada: Contact) -> None:
    version = in_catalog()
    adopted(version, ada)
    other = published_course("knots").definition

    with pytest.raises(IntegrityError, match="course_adopted_once"), transaction.atomic():
        Course.objects.filter(pk=other.pk).update(catalog_course_id=version.course_id)


@pytest.mark.parametrize("courses", [2, 20])
def test_adoptions_take_a_constant_number_of_statements(
    courses: int, ada: Contact, django_assert_num_queries: Any
) -> None:
    for number in range(courses):
        name = f"course-{number}"
        adopted(in_catalog(course_of_another_name(name), slug=name), ada)

    with django_assert_num_queries(5):
        assert len(adoptions()) == courses
