"""What the outbox and beat make of an attempt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.assessment.models import AssessmentAttempt
from apps.assessment.services import GRADE
from apps.assessment.tasks import close_expired, grade
from apps.assessment.vocabulary import AttemptStatus
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization
from tests.assessment.factories import RIGHT, result_of, scene

pytestmark = pytest.mark.django_db


def test_grade_works_what_a_submit_owes() -> None:
    it = scene()
    attempt = it.start()
    it.answer(attempt, RIGHT)
    it.submit(attempt)
    message = OutboxMessage.objects.get(topic=GRADE)

    grade(message.key, [message.payload])

    assert result_of(attempt).passed


def test_close_expired_visits_every_organisation(org_a: Organization, org_b: Organization) -> None:
    for organization in (org_a, org_b):
        with tenant_context(organization):
            scene(time_limit_seconds=60).start(now() - timedelta(hours=1))

    assert close_expired() == 2

    for organization in (org_a, org_b):
        with tenant_context(organization):
            assert AssessmentAttempt.objects.get().status == AttemptStatus.SUBMITTED
