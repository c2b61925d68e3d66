"""Draft, publish, freeze, copy, compare — shown on courses."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connections, transaction

from apps.contacts.models import Contact
from apps.core import versions
from apps.core.clock import now
from apps.core.models import VersionStatus
from apps.core.versions import FieldChange, PartChange
from apps.programs.models import Course, CourseModule, CourseVersion, ModuleItem
from tests.conftest import organization
from tests.database import ORG_A
from tests.factories import NOON, contact

pytestmark = pytest.mark.django_db


def drafted(slug: str = "c") -> CourseVersion:
    course = Course.objects.create(slug=slug, title="Course")
    version = CourseVersion.objects.create(definition=course)
    module = CourseModule.objects.create(version=version, key="m", title="Module", position=1)
    ModuleItem.objects.create(
        version=version, module=module, key="i", title="Item", position=1, type="lesson"
    )
    return version


def published(slug: str = "c") -> tuple[CourseVersion, Contact]:
    author = contact()
    return versions.publish(version=drafted(slug), actor=author, at=NOON), author


def test_publish_numbers_and_freezes() -> None:
    version, author = published()

    assert (version.status, version.number, version.published_at, version.published_by) == (
        VersionStatus.PUBLISHED,
        1,
        NOON,
        author,
    )
    with pytest.raises(versions.NotADraft):
        versions.publish(version=version, actor=author, at=NOON)


def test_publish_an_empty_course_tells_why_not() -> None:
    course = Course.objects.create(slug="empty", title="Empty")
    version = CourseVersion.objects.create(definition=course)

    with pytest.raises(versions.NotPublishable) as refused:
        versions.publish(version=version, actor=contact(), at=NOON)

    assert refused.value.errors


@pytest.mark.parametrize(
    "write",
    [
        lambda v: CourseVersion.objects.filter(pk=v.pk).update(number=7),
        lambda v: CourseVersion.objects.filter(pk=v.pk).update(status="draft", number=None),
        lambda v: CourseVersion.objects.filter(pk=v.pk).delete(),
        lambda v: CourseModule.objects.filter(version=v).update(title="New"),
        lambda v: ModuleItem.objects.filter(version=v).delete(),
        lambda v: CourseModule.objects.create(version=v, key="x", title="X", position=2),
    ],
    ids=["version", "back-to-draft", "delete", "change-part", "delete-part", "add-part"],
)
def test_database_refuses_any_write_to_a_published_version(write: object) -> None:
    version, _author = published()

    with pytest.raises(IntegrityError, match="refused"), transaction.atomic():
        write(version)  # type: ignore[operator]


def test_database_refuses_moving_a_part_into_a_published_version() -> None:
    version, _author = published()
    other = drafted("other")

    with pytest.raises(IntegrityError, match="refused"), transaction.atomic():
        CourseModule.objects.filter(version=other).update(version=version)


def test_retire_keeps_everything_else() -> None:
    version, author = published()

    retired = versions.retire(version=version, actor=author, at=NOON)

    assert (retired.status, retired.number, retired.retired_at) == ("retired", 1, NOON)


def test_new_draft_copies_the_parts_and_what_they_refer_to() -> None:
    version, author = published()

    draft = versions.new_draft(definition=version.definition, actor=author, at=NOON)

    module = CourseModule.objects.get(version_id=draft.pk)
    item = ModuleItem.objects.get(version_id=draft.pk)
    assert (module.key, item.key, item.module_id) == ("m", "i", module.id)
    with pytest.raises(versions.DraftExists):
        versions.new_draft(definition=version.definition, actor=author, at=NOON)


def test_diff_names_what_changed_by_key() -> None:
    version, author = published()
    draft = versions.new_draft(definition=version.definition, actor=author, at=NOON)
    CourseModule.objects.filter(version_id=draft.pk).update(title="Renamed")

    diff = versions.diff(version, draft)

    assert diff.changes == (
        PartChange("course module", "m", "changed", (FieldChange("title", "Module", "Renamed"),)),
    )


def test_an_edit_that_races_the_publication_is_refused(own_database: str) -> None:
    version = drafted()
    author = contact()
    locked, outcome = threading.Event(), []

    def edit() -> None:
        connection = connections["default"]
        connection.set_tenant(organization(ORG_A))  # type: ignore[attr-defined]
        locked.wait(10)
        try:
            CourseModule.objects.filter(version=version).update(title="Late")
            outcome.append("written")
        except IntegrityError as error:
            outcome.append(str(error).splitlines()[0])
        finally:
            connection.close()

    thread = threading.Thread(target=edit)
    thread.start()
    with transaction.atomic():
        versions.publish(version=version, actor=author, at=now())
        locked.set()
        thread.join(0.5)
        assert outcome == [], "the edit must wait for the publication"
    thread.join(10)

    assert outcome == ["UPDATE in course_modules refused: its version is published"]
