"""Every page that takes an id: what is not the reader's own is not found, and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.assessment.models import AssessmentAttempt
from apps.cohorts.models import ProgressEvent
from apps.contacts.models import ApiToken
from apps.contacts.services import create_api_token
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization
from apps.pages.urls import urlpatterns
from tests.clients import browser
from tests.factories import member
from tests.pages.factories import Study, study

pytestmark = pytest.mark.django_db

# Open to everybody who has the address; they have tests of their own.
PUBLIC = {"invitation", "credential"}


def addresses(other: Study) -> Iterator[str]:
    """Yield the address of every page that takes an id, with those of another learner."""
    attempt = other.started()
    token, _secret = create_api_token(contact=other.learner, name="theirs")
    ids: dict[str, Any] = {
        "enrollment_id": other.enrollment.id,
        "slug": f"course-{other.cohort.slug}",
        "item_id": other.item("intro").id,
        "template_id": other.template.id,
        "attempt_id": attempt.id,
        "token_id": token.id,
    }
    for pattern in urlpatterns:
        names = pattern.pattern.converters
        if names and pattern.name not in PUBLIC:
            yield reverse(f"pages:{pattern.name}", kwargs={name: ids[name] for name in names})


def answers(client: Client, address: str) -> set[int]:
    return {client.get(address).status_code, client.post(address).status_code}


def untouched(other: Study) -> bool:
    return (
        AssessmentAttempt.objects.get(contact=other.learner).status == "in_progress"
        and not ProgressEvent.objects.filter(type="item_completed").exists()
        and not ApiToken.objects.exclude(revoked_at=None).exists()
    )


def test_pages_of_another_learner_are_not_found() -> None:
    reader, other = study(), study(member(name="Bob"), slug="autumn")
    client = browser(reader.learner)

    for address in addresses(other):
        assert answers(client, address) <= {404, 405}, address
    assert untouched(other)


def test_pages_of_another_organisation_are_not_found(
    org_a: Organization, org_b: Organization
) -> None:
    with tenant_context(org_b):
        other = study(member(name="Bob"), slug="autumn")
        theirs = list(addresses(other))
    client = browser(study().learner)

    for address in theirs:
        assert answers(client, address) <= {404, 405}, address
    with tenant_context(org_b):
        assert untouched(other)


def test_an_owner_has_no_way_into_a_learners_pages() -> None:
    """Staff look at learners in the back office, where it is recorded."""
    other = study(slug="autumn")
    client = browser(member("owner"))

    for address in addresses(other):
        assert answers(client, address) <= {404, 405}, address
