"""The demo as `make demo` loads it: real processes, on a database of the test's own."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from apps.assessment.models import (
    Accommodation,
    AssessmentAttempt,
    AssessmentWindow,
    BankItem,
    GradingTask,
)
from apps.assessment.replay import replay_results
from apps.assessment.vocabulary import AttemptStatus, TaskState
from apps.cohorts.models import (
    AttendanceRecord,
    Cohort,
    CohortEnrollment,
    CohortSession,
    EnrollmentState,
)
from apps.commerce.models import Order, OrderLine
from apps.contacts.models import Contact
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.tenancy import connection, tenant_context
from apps.credentials.models import AwardHold, CertificationAward, CredentialDocument
from apps.credentials.replay import replay_awards
from apps.demo.content import ORGANIZATIONS
from apps.demo.content.organizations import OrganizationPlan
from apps.demo.loading import is_loaded
from apps.demo.people import SIGN_IN_WITH
from apps.organizations.models import Organization, OrgMembership
from apps.requirements.models import RequirementEvaluation, SignOff, Waiver
from apps.requirements.replay import replay_evaluations
from tests.database import ROOT, Server

pytestmark = pytest.mark.flow


def manage(server: Server, database: str, *words: str) -> str:
    """Return what a command of a real process prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=server.environment(database),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def organization(slug: str) -> Organization:
    with connection.platform():
        found: Organization = Organization.objects.get(slug=slug)
    return found


def counted(values: Any) -> dict[str, int]:
    return dict(Counter(values))


def inventory() -> dict[str, int]:
    """Return how much there is of what a second run could double."""
    models = (Contact, BankItem, CohortEnrollment, AssessmentAttempt, AttendanceRecord)
    more = (RequirementEvaluation, CertificationAward, CredentialDocument, OutboxMessage)
    return {model.__name__: model._default_manager.count() for model in (*models, *more)}


def check(plan: OrganizationPlan) -> None:
    """Compare what was loaded with what a visitor is promised."""
    assert is_loaded()
    with connection.platform():
        members = OrgMembership.objects.filter(organization__slug=plan.slug)
        assert counted(members.values_list("org_role", flat=True)) == {
            "owner": 1,
            "admin": 1,
            "instructor": 2,
            "auditor": 1,
            "learner": 3,
        }
    slug = plan.shop.cohort_slug if plan.shop else ""
    in_shop = CohortEnrollment.objects.filter(cohort__slug=slug)
    of_shop = Order.objects.values("buyer").union(OrderLine.objects.values("learner"))
    assert Contact.objects.count() - of_shop.count() == 40 + 5
    cohorts = Cohort.objects.exclude(id__in=in_shop.values("cohort"))
    assert counted(cohorts.values_list("status", flat=True)) == {"ended": 1, "open": 1}
    others = CohortEnrollment.objects.exclude(id__in=in_shop.values("id"))
    assert counted(others.values_list("state", flat=True)) == {
        "ended": 17,
        "withdrawn": 1,
        "enrolled": 21,
        "waitlisted": 1,
    }
    check_shop(plan)
    today = now()
    assert CohortSession.objects.filter(ends_at__gt=today, cohort__status="open").count() >= 2
    assert AttendanceRecord.objects.filter(revision=2).count() == 2
    attempts = counted(AssessmentAttempt.objects.values_list("status", flat=True))
    assert set(attempts) == set(AttemptStatus.values)
    assert (attempts["void"], attempts["in_progress"]) == (1, 1)
    assert GradingTask.objects.filter(state=TaskState.OPEN).count() >= 3
    assert Waiver.objects.count() == 1
    assert AssessmentWindow.objects.filter(due_at__gt=today).count() == 3
    assert Accommodation.objects.count() == 1
    assert SignOff.objects.exists() == bool(plan.signoff_need)
    awards = CertificationAward.objects.all()
    assert awards.filter(revoked_at__isnull=False).count() == 1
    assert awards.filter(revoked_at=None).count() >= 8
    assert CredentialDocument.objects.count() == awards.count()
    assert not AwardHold.objects.exists()
    check_logins(plan)
    due = OutboxMessage.objects.filter(available_at__lte=today)
    assert list(due.values_list("topic", "last_error")) == []
    assert [*replay_results(), *replay_evaluations(), *replay_awards()] == []


def check_shop(plan: OrganizationPlan) -> None:
    """One organisation sells: somebody paid, was refunded, waits, can't be helped yet."""
    orders = {
        order.number: [(line.outcome, line.reason, _seat(line)) for line in order.lines.all()]
        for order in Order.objects.prefetch_related("lines").order_by("number")
    }
    assert orders == (
        {
            "#2041": [("granted", "", "enrolled")],
            "#2042": [("withdrawn", "", "withdrawn")],
            "#2043": [("granted", "", "enrolled"), ("granted", "", "waitlisted")],
            "#2044": [("unresolved", "sku-unknown", "")],
        }
        if plan.shop
        else {}
    )


def _seat(line: OrderLine) -> str:
    newest = line.entitlements.order_by("revision").last()
    return newest.enrollment.state if newest else ""


def check_logins(plan: OrganizationPlan) -> None:
    """Each learner with a login is where the guide says."""
    holder, beginner, waiting = (
        CohortEnrollment.objects.get(contact__channels__value=member.email)
        for member in plan.members
        if member.role == "learner"
    )
    assert CertificationAward.objects.filter(enrollment=holder, revoked_at=None).exists()
    assert beginner.state == EnrollmentState.ENROLLED
    assert not beginner.attempts.exclude(status="in_progress").exists()
    assert GradingTask.objects.filter(attempt__enrollment=waiting, state="open").exists()


def test_load_demo_fills_both_organisations_once(own_database: str, server: Server) -> None:
    manage(server, own_database, "load_demo")
    connection.close()
    inventories = []
    for plan in ORGANIZATIONS:
        with tenant_context(organization(plan.slug)):
            check(plan)
            inventories.append(inventory())

    told = manage(server, own_database, "load_demo")

    assert told.splitlines() == [f"{plan.slug}: as it was" for plan in ORGANIZATIONS]
    again = []
    for plan in ORGANIZATIONS:
        with tenant_context(organization(plan.slug)):
            again.append(inventory())
    assert again == inventories
    guide = manage(server, own_database, "demo_guide")
    for plan in ORGANIZATIONS:
        assert f"{plan.name}  http://{plan.slug}.localhost:8000/" in guide
        assert all(member.email in guide for member in plan.members)
    assert SIGN_IN_WITH in guide
