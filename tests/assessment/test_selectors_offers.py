"""Where assessments stand, and who is offered them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.models import AssessmentWindow
from apps.assessment.selectors.offers import (
    enrollments_offered,
    placements,
    readable_templates,
)
from apps.cohorts.services import enroll, withdraw
from apps.contacts.services import merge_contacts
from tests.assessment.factories import cohort_with, published_assessment, scene
from tests.cohorts.factories import NOON, person

pytestmark = pytest.mark.django_db


def test_placements_are_in_course_order_narrowed_and_asked_of_the_database_once() -> None:
    one, two = published_assessment(slug="one"), published_assessment(slug="two")
    cohort = cohort_with(two, one)

    with CaptureQueriesContext(connection) as captured:
        found = [place.version_id for place in placements(cohort.id)]
        narrowed = [place.template_id for place in placements(cohort.id, [one.definition_id])]

    assert found == [two.id, one.id]
    assert narrowed == [one.definition_id]
    assert len(captured) == 1


def test_enrollments_offered_are_ones_own_under_any_alias_the_newest_first() -> None:
    it = scene()
    autumn = cohort_with(it.version, slug="autumn")
    old = person("Old")
    newer = enroll(cohort=autumn, contact=old, actor=None, at=NOON)
    merge_contacts(source=old, into=it.learner, actor=None)
    withdraw(enrollment=it.enrollment, actor=None, at=NOON)

    assert enrollments_offered(it.learner.id, it.template.id) == [newer, it.enrollment]
    assert enrollments_offered(person("Bo").id, it.template.id) == []


def test_a_window_offers_an_assessment_that_no_course_places() -> None:
    it = scene()
    extra = published_assessment(slug="extra").definition
    before = enrollments_offered(it.learner.id, extra.id)
    AssessmentWindow.objects.create(cohort=it.cohort, template=extra)

    assert before == []
    assert enrollments_offered(it.learner.id, extra.id) == [it.enrollment]
    assert set(readable_templates(it.learner.id)) == {it.template, extra}
    assert list(readable_templates(person("Bo").id)) == []
