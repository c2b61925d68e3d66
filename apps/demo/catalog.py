"""The demo's platform course: published twice, adopted once, so that an update waits."""

from __future__ import annotations

from datetime import datetime

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.selectors import course_called, versions_of
from apps.catalog.services import Terms, publish_version
from apps.contacts.models import Contact
from apps.core.tenancy import connection
from apps.demo.content.catalog import CHANGES, FIRST, SECOND, SLUG, SUMMARY
from apps.portability.cataloguing import packaged_course
from apps.portability.format import pack, unpack
from apps.portability.services import adopt_course

LICENCE, LANGUAGE, PUBLISHER = "CC-BY-4.0", "en", "Open Learning Collective"


def adopt_platform_course(*, actor: Contact, at: datetime) -> None:
    """Adopt the first version of the platform's course, of which the catalog has two."""
    with connection.platform():
        first = _first_version()
    adopt_course(version=first, actor=actor, at=at)


def _first_version() -> CatalogCourseVersion:
    """Return the first version; both are published unless the catalog has the course."""
    known = course_called(SLUG)
    if known is None:
        for content, changelog in ((FIRST, ""), (SECOND, CHANGES)):
            version, _is_new = publish_version(
                course=packaged_course(unpack(pack(content))),
                slug=SLUG,
                terms=Terms(SUMMARY, LICENCE, LANGUAGE, PUBLISHER, changelog),
                actor_id=None,
            )
        known = version.course
    first: CatalogCourseVersion = versions_of(known).get(number=1)
    return first
