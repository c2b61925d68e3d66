"""The replay confirms what stands, and names each planted difference."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from apps.assessment.replay import Difference
from apps.credentials.models import CertificationAward, CredentialDocument
from apps.credentials.replay import replay_awards
from apps.credentials.services import reinstate_award, revoke_award, suspend_award
from tests.cohorts.factories import NOON
from tests.credentials.factories import document_of, world
from tests.database import ORG_A, Server

SCHEMA = f"org_{ORG_A.hex}"
DAY = timedelta(days=1)


def lived_in() -> CertificationAward:
    """Return one of several awards: in force, suspended and reinstated, revoked and renewed."""
    it = world(validity_days=30)
    first = it.awarded()
    bob = it.another("Bob")
    second = bob.awarded()
    by = {"actor": it.registrar, "reason": "Board", "at": NOON}
    suspend_award(award=second, **by)
    reinstate_award(award=second, **by)
    revoke_award(award=second, **by)
    bob.awarded(at=NOON + DAY)
    return first


@pytest.mark.django_db
def test_replay_awards_of_an_honest_history_finds_nothing() -> None:
    lived_in()

    assert list(replay_awards()) == []
    assert list(replay_awards(since=NOON)) == []


Plant = Callable[..., list[Difference]]


@pytest.fixture
def planted(server: Server, own_database: str) -> Iterator[Plant]:
    """Change a stored row as nobody but the database's superuser could; returns what is found."""
    award = lived_in()
    url = server.superuser_url.rsplit("/", 1)[0] + f"/{own_database}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(SCHEMA)))

        def plant(statement: Any, *values: Any) -> list[Difference]:
            changed = admin.execute(statement, [*values, award.id])
            assert changed.rowcount == 1
            return [d for d in replay_awards() if d.entity_id == award.id]

        yield plant


def checks(found: list[Difference]) -> list[str]:
    return [difference.check for difference in found]


def test_replay_awards_names_each_planted_difference(planted: Plant) -> None:
    award = CertificationAward.objects.order_by("id")[0]
    document = CredentialDocument.objects.get(award=award)

    def row(column: str) -> sql.Composed:
        statement = sql.SQL("UPDATE certification_awards SET {} = %s WHERE id = %s")
        return statement.format(sql.Identifier(column))

    assert checks(planted(row("legal_name"), "Eve")) == ["legal_name", "document name"]
    planted(row("legal_name"), award.legal_name)

    assert checks(planted(row("certificate_number"), "2026-FAKE")) == ["document number"]
    planted(row("certificate_number"), award.certificate_number)

    assert checks(planted(row("expires_at"), NOON + 99 * DAY)) == [
        "expires_at",
        "document expires_at",
    ]
    planted(row("expires_at"), award.expires_at)

    assert checks(planted(row("issued_at"), NOON - DAY)) == [
        "issued_at",
        "events",
        "document issued_at",
    ]
    planted(row("issued_at"), award.issued_at)

    assert checks(planted(row("revoked_at"), NOON)) == ["revoked_at"]
    planted(row("revoked_at"), None)

    forged = {**award.facts, "legal_name": "Eve"}
    assert checks(planted(row("facts"), json.dumps(forged))) == ["hash", "legal_name"]
    held = {**award.facts, "stands": False}
    assert checks(planted(row("facts"), json.dumps(held))) == ["hash", "decision"]
    unread = {"nothing": 1}
    assert checks(planted(row("facts"), json.dumps(unread))) == ["hash", "facts"]
    other = {**award.facts, "results": []}
    assert checks(planted(row("facts"), json.dumps(other))) == ["hash", "history of results"]
    planted(row("facts"), json.dumps(award.facts))

    credential = document_of(award)
    credential["credentialSubject"]["licenseNumber"] = "2026-FAKE"
    content = json.dumps(credential).encode()
    signed = "UPDATE credential_documents SET content = %s, sha256 = %s WHERE award_id = %s"
    found = planted(signed, content, hashlib.sha256(content).hexdigest())
    assert checks(found) == ["signature"]
    planted(signed, document.content, document.sha256)

    moved = "UPDATE status_list_entries SET index = %s WHERE award_id = %s"
    place = int(document_of(award)["credentialStatus"]["statusListIndex"])
    assert checks(planted(moved, place ^ 1)) == ["document status"]
    planted(moved, place)

    evaluated = (
        "UPDATE requirement_evaluations SET facts = %s"
        " WHERE id = (SELECT evaluation_id FROM certification_awards WHERE id = %s)"
    )
    facts = award.evaluation.facts
    assert checks(planted(evaluated, json.dumps({**facts, "history": {}}))) == [
        "history of evaluation_hash"
    ]
    assert planted(evaluated, json.dumps(facts)) == []

    assert checks(planted("DELETE FROM credential_events WHERE award_id = %s")) == ["events"]
    assert checks(planted("DELETE FROM credential_documents WHERE award_id = %s")) == [
        "events",
        "document",
    ]
