"""The platform's course of the demo."""

from __future__ import annotations

import pytest

from apps.catalog.selectors import course_called, versions_of
from apps.core.tenancy import tenant_context
from apps.demo.catalog import adopt_platform_course
from apps.demo.content.catalog import SLUG
from apps.organizations.models import Organization
from apps.portability.selectors.adoptions import adoptions
from apps.portability.services import preview_update
from tests.factories import NOON, contact

pytestmark = pytest.mark.django_db


def test_an_update_waits_for_who_adopted_the_first_version() -> None:
    ada = contact("Ada")

    adopt_platform_course(actor=ada, at=NOON)

    [adoption] = adoptions().values()
    assert (adoption.number, adoption.has_update) == (1, True)
    assert adoption.newest is not None
    preview = preview_update(version=adoption.newest, actor=ada, at=NOON)
    changed = {(change.key, change.outcome) for change in preview.upstream.changes}
    assert {("bleeding", "added"), ("not-breathing", "changed"), ("check", "changed")} <= changed


def test_the_course_is_published_once(org_b: Organization) -> None:
    adopt_platform_course(actor=contact("Ada"), at=NOON)
    with tenant_context(org_b):
        adopt_platform_course(actor=contact("Boole"), at=NOON)

    course = course_called(SLUG)
    assert course is not None
    assert [version.number for version in versions_of(course)] == [2, 1]
