"""Content that can be found, made through the same services as everybody's."""

from __future__ import annotations

from collections.abc import Mapping

from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.core.versions import publish
from apps.programs.models import Course, CourseModule, CourseVersion, ModuleItem
from tests.cohorts.factories import NOON, open_cohort
from tests.outbox import drain
from tests.programs.factories import AUTHORED, published_program

LESSONS: Mapping[str, str] = {
    "Bleeding wounds": "# Pressure\n\nPress on the wound. A **tourniquet** stops heavy bleeding.",
    "Recovery position": "Turn somebody who breathes onto their side.",
}


def course_with(
    lessons: Mapping[str, str] = LESSONS, *, slug: str = "first-aid", title: str = "First aid"
) -> CourseVersion:
    """Return version 1 of a new course with these lessons, found from now on."""
    draft = drafted(lessons, slug=slug, title=title)
    published = publish(version=draft, actor=None, at=AUTHORED)
    index_all()
    return published


def drafted(lessons: Mapping[str, str], *, slug: str, title: str) -> CourseVersion:
    course = Course.objects.create(slug=slug, title=title, description=f"About {title}.")
    draft = CourseVersion.objects.create(definition=course, summary="What everybody should know.")
    module = CourseModule.objects.create(version=draft, key="all", title="Basics", position=1)
    ModuleItem.objects.bulk_create(
        ModuleItem(
            version=draft,
            module=module,
            key=f"lesson-{place}",
            title=name,
            position=place,
            body_markdown=text,
        )
        for place, (name, text) in enumerate(lessons.items(), start=1)
    )
    return draft


def index_all() -> None:
    """Work what the index is owed, and nothing else."""
    drain("search.index_course", "search.index_program", "search.index_assessment")


def cohort_with(*versions: CourseVersion, slug: str = "responder") -> Cohort:
    """Return an open cohort of a new program that pins these course versions."""
    cohort = open_cohort(published_program(*versions, slug=slug), slug=f"{slug}-spring")
    index_all()
    return cohort


def learner_of(cohort: Cohort, person: Contact) -> CohortEnrollment:
    return enroll(cohort=cohort, contact=person, actor=None, at=NOON)
