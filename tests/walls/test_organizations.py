"""Every address of /v1, pages and back office, on A's host with B's ids: not found, no change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.cache import cache

from apps.ai_logs.services.interactions import Artefact, NewInteraction, record_interactions
from apps.ai_logs.services.sessions import SessionTerms, start_session
from apps.ai_logs.texts import plain
from apps.assessment.models import AssessmentTemplate
from apps.assessment.services import decide_release
from apps.cohorts.models import Cohort, CohortStatus
from apps.cohorts.services import carry_out_import, request_import
from apps.contacts.models import Contact
from apps.contacts.services import create_api_token
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.outbox import owe
from apps.core.tenancy import connection, tenant_context
from apps.credentials.models import CertificationAward
from apps.credentials.services import open_hold
from apps.demo.content import ORGANIZATIONS
from apps.demo.loading import load
from apps.demo.people import open_accounts
from apps.organizations.models import OrgRole
from apps.programs.models import Course
from apps.sso.models import EmailDomain, SsoIdentity
from tests.clients import api, browser
from tests.conftest import organization, point_at
from tests.database import ORG_A, ORG_B, Server
from tests.factories import member
from tests.walls.endpoints import Endpoint, endpoints, model_of
from tests.walls.world import MARK, mark_b, picture, some_row

WALLS = "assay_walls"
METHODS = ("get", "post", "put", "patch", "delete")

# What a parameter names where the view does not tell by itself.
NAMES = {
    "enrollment_id": "cohorts.CohortEnrollment",
    "attempt_id": "assessment.AssessmentAttempt",
    "template_id": "assessment.AssessmentTemplate",
    "item_id": "programs.ModuleItem",
    "token_id": "contacts.ApiToken",
    "award_id": "credentials.CertificationAward",
    "version_id": "credentials.CertificationTemplateVersion",
    "staff_id": "cohorts.CohortStaff",
    "node_id": "requirements.RequirementNode",
    "domain_id": "sso.EmailDomain",
    "secret_id": "commerce.SourceSecret",
    "import_id": "cohorts.RosterImport",
}
ROUTES = {
    "v1/cohorts/": "cohorts.Cohort",
    "v1/courses/": "programs.Course",
    "v1/assessments/": "assessment.AssessmentTemplate",
    "v1/question-banks/": "assessment.QuestionBank",
    "v1/assessment-versions/": "assessment.AssessmentVersion",
    "v1/credentials/": "credentials.CertificationAward",
    "v1/ai/sessions/": "ai_logs.AiSession",
}
# What must be well formed before a row is looked for.
BODIES: dict[str, Any] = {
    "v1/attempts/<uuid:attempt_id>/responses/<uuid:item_id>": {"value": True, "sequence": 1},
    "v1/attempts/<uuid:attempt_id>/responses": {
        "responses": [{"item": str(ORG_B), "value": True, "sequence": 1}]
    },
}
WORDS = {"purpose": "revocation", "number": "1", "move": "end", "act": "remove"}


@pytest.fixture(scope="module")
def full_b(
    server: Server,
    django_db_setup: None,
    django_db_blocker: Any,
) -> Iterator[Server]:
    """A database in which only B has anything; A has an owner."""
    with server.clone(WALLS) as name, django_db_blocker.unblock():
        point_at(server, name)
        plan = ORGANIZATIONS[0]
        open_accounts(one.email for one in plan.members)
        with tenant_context(organization(ORG_B)):
            load(plan, now=now(), drain=True, say=lambda line: None)
            create_api_token(contact=Contact.objects.all()[0], name="B's")
            complete_what_the_demo_lacks()
            owe("credentials.expire", str(uuid7()), available_at=now() + timedelta(days=1))
        with tenant_context(organization(ORG_A)):
            member(OrgRole.OWNER)
        try:
            yield server
        finally:
            connection.close()
            point_at(server, "assay_test")


def complete_what_the_demo_lacks() -> None:
    """Hold an award, release results, sign in through a provider: every table has a row."""
    sign_in_through_a_provider()
    award = CertificationAward.objects.select_related("enrollment", "template").all()[0]
    registrar = Contact.objects.exclude(pk=award.contact_id)[0]
    open_hold(
        enrollment=award.enrollment,
        template=award.template,
        actor=registrar,
        reason="A question was asked.",
        at=now(),
    )
    session, _ = start_session(
        terms=SessionTerms(contact=award.contact, started_at=now()), created_by=registrar
    )
    made = Artefact("notes.txt", plain("Notes"))
    said = NewInteraction(
        role="assistant", text=plain("Hello"), artefacts=(made,), occurred_at=now()
    )
    record_interactions([(session.id, said)], asserted_by=registrar)
    asked = request_import(
        cohort=Cohort.objects.filter(status=CohortStatus.OPEN)[0],
        filename="people.csv",
        data=b"name,email\nSomebody,somebody@example.org\n",
        is_dry_run=True,
        actor=registrar,
        at=now(),
    )
    carry_out_import(import_id=asked.id, at=now())
    decide_release(
        template=AssessmentTemplate.objects.all()[0],
        cohort=award.enrollment.cohort,
        is_released=True,
        actor=registrar,
    )


def sign_in_through_a_provider() -> None:
    """Give the organisation a proved domain, and one of its members an identity."""
    organization_id = connection.tenant.id
    user_id = Contact.objects.filter(user_id__isnull=False)[0].user_id
    with connection.platform():
        EmailDomain.objects.create(
            organization_id=organization_id, domain="b.example", token="x", verified_at=now()
        )
        SsoIdentity.objects.create(
            organization_id=organization_id,
            provider_id="https://idp.b.example",
            subject="1",
            user_id=user_id,
            email="somebody@b.example",
        )


def value_in_b(endpoint: Endpoint, name: str) -> str:
    """Return what this parameter is for a row of B; fails for an address that is not covered."""
    if name in WORDS:
        return WORDS[name]
    with tenant_context(organization(ORG_B)):
        if name == "slug":
            return Course.objects.all()[0].slug
        model = model_of(endpoint) if name in ("pk", "object_id") else None
        if model is None:
            label = NAMES.get(name) or next(
                (label for start, label in ROUTES.items() if endpoint.route.startswith(start)), None
            )
            assert label, f"{endpoint.route}: say in this test what {name} names"
            model = apps.get_model(label)
        row = some_row(model)
        assert row is not None, f"{endpoint.route}: the demo has no {model._meta.label}"
        return str(row.pk)


def calls(endpoint: Endpoint) -> Iterator[tuple[str, Any]]:
    """Call an address with B's ids on A's host, as A's owner, by every method."""
    path = endpoint.path({name: value_in_b(endpoint, name) for name in endpoint.parameters})
    owner = Contact.objects.filter(user_id__isnull=False).order_by("id").last()
    client = api(owner) if endpoint.route.startswith("v1/") else browser(owner)
    # Django keeps an old address of each row that leads to its page.
    follow = {"follow": True} if endpoint.route.endswith("/<path:object_id>/") else {}
    for method in METHODS:
        cache.clear()
        answer = getattr(client, method)(path, BODIES.get(endpoint.route), **follow)
        yield f"{method.upper()} /{endpoint.route}", answer


def test_an_address_with_ids_of_b_is_not_found_on_the_host_of_a(full_b: Server) -> None:
    with tenant_context(organization(ORG_B)):
        before = picture()
    answers: dict[str, int] = {}
    with tenant_context(organization(ORG_A)):
        for endpoint in endpoints():
            for call, answer in calls(endpoint):
                answers[call] = answer.status_code
        own = picture()

    with tenant_context(organization(ORG_B)):
        assert picture() == before
    assert {call: code for call, code in answers.items() if code not in (404, 405)} == {}
    assert set(answers.values()) == {404, 405}
    changed = {
        "crm_contacts",
        "crm_contact_channels",
        "admin_actions",
        "api_tokens",
    }  # A's owner, and who signed in
    assert {table for table, (rows, _digest) in own.items() if rows} <= changed


def test_the_same_ids_in_both_show_and_change_nothing_of_b(full_b: Server) -> None:
    with psycopg.connect(full_b.superuser_url, dbname=WALLS, autocommit=True) as superuser:
        mark_b(superuser)
    with tenant_context(organization(ORG_B)):
        before = picture()
    leaks, faults, found = [], [], 0
    with tenant_context(organization(ORG_A)):
        for endpoint in endpoints():
            for call, answer in calls(endpoint):
                found += answer.status_code == 200
                if MARK.encode() in b"".join(answer):
                    leaks.append(call)
                if answer.status_code >= 500:
                    faults.append(call)

    with tenant_context(organization(ORG_B)):
        assert picture() == before
    assert (leaks, faults) == ([], [])
    assert found > 100, "the same ids should be found in A"
