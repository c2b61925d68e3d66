"""Two organisations to keep apart: a full one, and what every table of it looks like."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
from django.db import models
from psycopg import sql

from apps.ai_logs.rules.pricing import Usage
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.interactions import Artefact, NewInteraction, record_interactions
from apps.ai_logs.services.retention import set_retention
from apps.ai_logs.services.sessions import SessionTerms, start_session
from apps.ai_logs.texts import plain
from apps.ai_logs.vocabulary import Rating
from apps.assessment.models import AssessmentTemplate
from apps.assessment.services import decide_release
from apps.cohorts.models import Cohort, CohortStatus
from apps.cohorts.services import carry_out_import, request_import
from apps.contacts.models import Contact
from apps.contacts.services import create_api_token
from apps.core.clock import now
from apps.core.ids import uuid7
from apps.core.outbox import owe
from apps.core.tenancy import connection
from apps.core.walls import tenant_models
from apps.credentials.models import CertificationAward
from apps.credentials.services import open_hold
from apps.sso.models import EmailDomain, SsoIdentity
from tests.database import ORG_A, ORG_B

MARK = "Belongs to B"


def picture() -> dict[str, tuple[int, str]]:
    """Return rows and digest of every table of the organisation in force."""
    found = {}
    with connection.cursor() as cursor:
        for model in tenant_models():
            cursor.execute(
                sql.SQL(
                    "SELECT count(*), coalesce(md5(string_agg(t::text, ',' ORDER BY t.id)), '')"
                    " FROM {} t"
                ).format(sql.Identifier(model._meta.db_table))
            )
            found[model._meta.db_table] = cursor.fetchone()
    return found


def some_row(model: type[models.Model]) -> Any:
    """Return a row of this model in the organisation in force."""
    return model._default_manager.order_by("pk").first()


def mark_b(superuser: psycopg.Connection) -> None:
    """Write a mark into titles and names of B, and copy all its rows into A beforehand.

    So the same ids stand in both, and whatever shows the mark was read from B. Triggers and
    foreign keys are off for this: only a superuser can do so.
    """
    schema_a, schema_b = f"org_{ORG_A.hex}", f"org_{ORG_B.hex}"
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        for model in tenant_models():
            table = model._meta.db_table
            columns = [sql.Identifier(str(field.column)) for field in model._meta.concrete_fields]
            superuser.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT DO NOTHING").format(
                    sql.Identifier(schema_a, table),
                    sql.SQL(", ").join(columns),
                    sql.SQL(", ").join(columns),
                    sql.Identifier(schema_b, table),
                )
            )
            for column in ("title", "display_name", "name"):
                if any(
                    field.column == column and not field.unique
                    for field in model._meta.concrete_fields
                ):
                    superuser.execute(
                        sql.SQL("UPDATE {} SET {} = %s").format(
                            sql.Identifier(schema_b, table), sql.Identifier(column)
                        ),
                        [MARK],
                    )


def complete_what_the_demo_lacks() -> None:
    """Hold an award, release results, sign in through a provider: every table has a row."""
    create_api_token(contact=Contact.objects.all()[0], name="B's")
    owe("credentials.expire", str(uuid7()), available_at=now() + timedelta(days=1))
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
        role="assistant",
        text=plain("Hello"),
        artefacts=(made,),
        occurred_at=now(),
        provider="openai",
        responded_model="gpt-4o-mini-2024-07-18",
        usage=Usage(input=10, output=10),
    )
    recorded = record_interactions([(session.id, said)], asserted_by=registrar)[0].interaction
    assert recorded is not None
    set_retention(days=3650, actor=registrar)
    give_feedback(interaction=recorded, contact=award.contact, rating=Rating.FLAG)
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
