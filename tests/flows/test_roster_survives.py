"""A roster of 50,000 rows over HTTP: imported once by a worker, however the worker ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from apps.cohorts import ports
from apps.cohorts.models import CohortEnrollment, ProgressEvent, RosterImportRow
from apps.cohorts.services import IMPORT
from apps.cohorts.services.imports import BATCH
from apps.contacts.models import AdminAction, ChannelKind, Contact, ContactChannel
from apps.contacts.services import create_api_token
from apps.core.models import OutboxMessage
from apps.organizations.models import OrgRole
from tests.cohorts.factories import open_cohort
from tests.factories import member
from tests.flows.conftest import HttpClient, Stack, until

pytestmark = pytest.mark.flow

ROWS = 50_000


@pytest.fixture(autouse=True)
def _every_program_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports.program_is_ready, "_answer", lambda program_version_id: True)


def roster(rows: int) -> bytes:
    """Return a roster in which every thousandth row has no address at all."""
    lines = (f"Person {n},{'' if n % 1000 == 999 else f'p{n}@example.org'}\n" for n in range(rows))
    return f"name,email\n{''.join(lines)}".encode()


@contextmanager
def held_back(somebody: Contact, *, at_row: int) -> Iterator[None]:
    """Let the import come as far as a row, and wait there: its address is about to be taken."""
    with transaction.atomic():
        ContactChannel.objects.create(
            contact=somebody, kind=ChannelKind.EMAIL, value=f"p{at_row}@example.org"
        )
        yield
        transaction.set_rollback(True)


def test_a_roster_of_50_000_rows_survives_the_worker(stack: Stack) -> None:
    cohort = open_cohort(capacity=40_000)
    owner = member(OrgRole.OWNER)
    _row, secret = create_api_token(contact=owner, name="flow")
    before = Contact.objects.count()
    data = roster(ROWS)
    stack.start_web()
    stack.start_worker()
    stack.start_beat()
    http: HttpClient = stack.client(secret)

    def asked() -> dict[str, Any]:
        found: dict[str, Any] = http.get(begun.headers["Location"]).json()
        return found

    with held_back(owner, at_row=ROWS - 2):
        begun = http.post(
            f"/v1/cohorts/{cohort.id}/roster", data=data, headers={"Content-Type": "text/csv"}
        )
        assert (begun.status_code, begun.json()["status"]) == (202, "waiting")
        assert begun.json()["sha256"] == hashlib.sha256(data).hexdigest()
        until(lambda: asked()["rows_done"] == ROWS - BATCH, what="all but the last", seconds=180)
        stack.kill("worker")

    assert asked()["status"] == "running"
    assert (Contact.objects.count(), CohortEnrollment.objects.count()) == (before, 0)
    stack.start_worker()
    until(lambda: asked()["status"] == "done", what="the import", seconds=300)
    stack.kill("worker")

    usable = ROWS - ROWS // 1000
    assert asked()["counts"] == {
        "created": usable,
        "updated": 0,
        "unchanged": 0,
        "refused": ROWS // 1000,
    }
    assert Contact.objects.count() - before == usable
    assert ContactChannel.objects.filter(value__regex=r"^p\d").count() == usable
    states = CohortEnrollment.objects.filter(cohort=cohort).values_list("state", flat=True)
    assert (len(states), list(states).count("enrolled")) == (usable, 40_000)
    assert ProgressEvent.objects.filter(type="enrolled").count() == 40_000
    assert RosterImportRow.objects.count() == ROWS
    assert AdminAction.objects.filter(action="roster.imported").count() == 1
    assert not OutboxMessage.objects.filter(topic=IMPORT).exists()

    refused = http.get(f"{begun.headers['Location']}/rows?outcome=refused&page_size=200").json()
    assert [row["line"] for row in refused["results"]] == [n * 1000 + 1 for n in range(1, 51)]
    report = http.get(f"{begun.headers['Location']}/report.csv").text.splitlines()
    assert (len(report), report[1]) == (
        ROWS + 1,
        "roster,2,Person 0,created,contact.created enrolled,enrolled,,,",
    )
