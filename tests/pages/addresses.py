"""Every kind of page, with something on it."""

from __future__ import annotations

from apps.assessment.models import AssessmentWindow
from apps.contacts.services import create_api_token
from apps.core.clock import now
from tests.assessment.factories import RIGHT
from tests.credentials.factories import world
from tests.pages.factories import Study
from tests.pages.test_invitations import invited


def every_page(own: Study) -> list[tuple[bool, str]]:
    """Return (is it read as the learner, its address) of every kind of page.

    The study's quiz must allow several attempts.
    """
    done, running = own.handed_in(RIGHT), own.started()
    AssessmentWindow.objects.create(cohort=own.cohort, template=own.template, opens_at=now())
    create_api_token(contact=own.learner, name="Script")
    members = [
        "/",
        own.path(),
        own.path("/courses/course-autumn"),
        own.path(f"/items/{own.item('intro').id}"),
        own.path(f"/items/{own.item('film').id}"),
        own.path(f"/assessments/{own.template.id}"),
        f"/attempts/{running.id}",
        f"/attempts/{running.id}/submit",
        f"/attempts/{done.id}/result",
        "/certificates",
        "/account",
        "/account/tokens",
        "/accounts/password/change/",
    ]
    strangers = [
        "/accounts/login/",
        "/accounts/password/reset/",
        "/accounts/signup/",
        invited(),
        "/invitations/gone",
        f"/credentials/{world().awarded().id}",
    ]
    return [*((True, path) for path in members), *((False, path) for path in strangers)]
