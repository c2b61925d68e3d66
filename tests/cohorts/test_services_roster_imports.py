"""Imports of uploaded rosters: asked for, carried out later, confirmed, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.cohorts import services
from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CohortStatus,
    ImportStatus,
    RosterImport,
    RosterImportRow,
)
from apps.cohorts.services import (
    FORGET,
    IMPORT,
    carry_out_import,
    confirm_import,
    forget_import,
    request_import,
)
from apps.cohorts.services.enrollments import NotOpenForEnrolment
from apps.cohorts.services.imports import RosterRaced
from apps.cohorts.services.roster_imports import (
    ASK_AGAIN_AFTER,
    KEPT_FOR,
    NotTried,
    RosterGone,
    RosterUnreadable,
)
from apps.contacts.models import Contact
from apps.contacts.services import create_contact
from apps.core.models import OutboxMessage
from apps.core.outbox import deliver
from apps.core.tenancy import aside
from tests.cohorts.factories import NOON, open_cohort, planned_cohort, states
from tests.outbox import drain

CSV = b"name,email\nAda,ada@example.org\nBea,nonsense\nCleo,cleo@example.org\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort() -> Cohort:
    return open_cohort()


def ask(cohort: Cohort, data: bytes = CSV, **said: Any) -> RosterImport:
    said = {"filename": "people.csv", "is_dry_run": False, **said}
    return request_import(cohort=cohort, data=data, actor=None, at=NOON, **said)


def carry_out(asked: RosterImport) -> RosterImport:
    carry_out_import(import_id=asked.id, at=NOON)
    return RosterImport.objects.get(pk=asked.id)


def report(asked: RosterImport) -> list[tuple[int, int | None, str, str]]:
    rows = asked.rows.order_by("position")
    return list(rows.values_list("position", "line", "outcome", "code"))


def files(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


def test_request_import_keeps_the_file_and_owes_the_work(cohort: Cohort, store: Path) -> None:
    asked = ask(cohort)

    assert [path.read_bytes() for path in files(store)] == [CSV]
    assert (asked.status, asked.size_bytes, len(asked.sha256)) == ("waiting", len(CSV), 64)
    owed = OutboxMessage.objects.exclude(topic__startswith="search.").values_list("topic", "key")
    assert list(owed) == [(IMPORT, str(asked.id))]
    assert not CohortEnrollment.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"colour,shape\nred,round\n", "missing-columns"),
        (b"name,email,mail\nA,a@example.org,b@example.org\n", "duplicate-column"),
        (b"PK\x03\x04 broken", "damaged-package"),
        (b"\xd0\xcf\x11\xe0 sheet", "spreadsheet"),
    ],
)
def test_request_import_refuses_what_the_beginning_shows(
    cohort: Cohort, store: Path, data: bytes, code: str
) -> None:
    with pytest.raises(RosterUnreadable) as refused:
        ask(cohort, data)

    assert [error["code"] for error in refused.value.errors] == [code]
    assert (files(store), RosterImport.objects.count()) == ([], 0)


def test_request_import_into_a_planned_cohort_is_refused(store: Path) -> None:
    with pytest.raises(NotOpenForEnrolment):
        ask(planned_cohort())

    assert files(store) == []


def test_carry_out_import_does_it_once_and_keeps_the_report(cohort: Cohort) -> None:
    asked = ask(cohort)

    done = carry_out(asked)
    again = carry_out(asked)

    assert (done.status, done.rows_total, done.rows_done) == (ImportStatus.DONE, 3, 3)
    assert done.counts == {"created": 2, "updated": 0, "unchanged": 0, "refused": 1}
    assert report(done) == [
        (1, 2, "created", ""),
        (2, 3, "refused", "invalid-email"),
        (3, 4, "created", ""),
    ]
    assert again.counts == done.counts
    assert states(cohort) == {"Ada": "enrolled", "Cleo": "enrolled"}


def test_carry_out_import_of_a_trial_changes_nothing_but_its_report(cohort: Cohort) -> None:
    trial = carry_out(ask(cohort, is_dry_run=True))

    assert (trial.status, len(report(trial))) == (ImportStatus.DONE, 3)
    assert (Contact.objects.count(), CohortEnrollment.objects.count()) == (0, 0)
    owed = OutboxMessage.objects.exclude(topic__startswith="search.")
    assert not owed.exclude(topic__in=(IMPORT, FORGET)).exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"name,email,class\nAda,a@example.org,One\nBea,b@example.org,Two\n", "class-not-chosen"),
        (b"name,email\n" + b"x" * 1_000_001, "roster-unreadable"),
    ],
)
def test_carry_out_import_that_cannot_be_records_why(
    cohort: Cohort, data: bytes, code: str
) -> None:
    failed = carry_out(ask(cohort, data))

    assert failed.status == ImportStatus.FAILED
    assert failed.problem["type"] == f"urn:assay:problem:{code}"
    assert (failed.rows.count(), Contact.objects.count()) == (0, 0)


def test_carry_out_import_of_a_cohort_that_closed_meanwhile_records_why(cohort: Cohort) -> None:
    asked = ask(cohort)
    Cohort.objects.update(status=CohortStatus.ENDED)

    assert carry_out(asked).problem["type"] == "urn:assay:problem:not-open-for-enrolment"


def test_carry_out_import_without_its_file_records_that(cohort: Cohort, store: Path) -> None:
    asked = ask(cohort)
    files(store)[0].unlink()

    assert carry_out(asked).problem["type"] == "urn:assay:problem:roster-gone"


def test_an_import_that_raced_is_tried_again(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(cohort)
    take = services.roster_people.People.take

    def late(people: Any, rows: Any) -> Any:
        create_contact(display_name="Ada", email="ada@example.org")
        return take(people, rows)

    with monkeypatch.context() as patched:
        patched.setattr("apps.cohorts.services.roster_people.People.take", late)
        with pytest.raises(RosterRaced), transaction.atomic():
            carry_out_import(import_id=asked.id, at=NOON)
        assert deliver(IMPORT, str(asked.id)) == 0

    owed = OutboxMessage.objects.get(topic=IMPORT)
    assert (owed.attempts, owed.last_error[:11]) == (1, "RosterRaced")
    assert not CohortEnrollment.objects.exists()
    assert carry_out(asked).status == ImportStatus.DONE


def test_confirm_import_uses_the_file_that_was_tried(cohort: Cohort, store: Path) -> None:
    trial = carry_out(ask(cohort, is_dry_run=True))

    begun = confirm_import(trial=trial, actor=None, at=NOON)
    again = confirm_import(trial=trial, actor=None, at=NOON)
    kept = len(files(store))
    drain(IMPORT)
    tried, imported = report(trial), report(begun)
    drain(FORGET)

    begun.refresh_from_db()
    trial.refresh_from_db()
    assert (again, begun.confirms, begun.status) == (begun, trial, ImportStatus.DONE)
    assert imported == tried == report(begun) != []
    assert (kept, files(store), begun.object_name, trial.object_name) == (1, [], "", "")


def test_confirm_import_refuses_what_was_not_tried_well(cohort: Cohort) -> None:
    waiting = ask(cohort, is_dry_run=True)
    real = carry_out(ask(cohort))
    forgotten = carry_out(ask(cohort, is_dry_run=True))
    forget_import(import_id=forgotten.id, at=NOON)
    closed = carry_out(ask(cohort, is_dry_run=True))

    for trial, refusal in ((waiting, NotTried), (real, NotTried), (forgotten, RosterGone)):
        with pytest.raises(refusal):
            confirm_import(trial=trial, actor=None, at=NOON)
    Cohort.objects.update(status=CohortStatus.ENDED)
    with pytest.raises(NotOpenForEnrolment):
        confirm_import(trial=closed, actor=None, at=NOON)


def test_a_trial_is_forgotten_after_a_day(cohort: Cohort, store: Path) -> None:
    trial = carry_out(ask(cohort, is_dry_run=True))
    assert OutboxMessage.objects.get(topic=FORGET).available_at == NOON + KEPT_FOR

    forget_import(import_id=trial.id, at=NOON)
    forget_import(import_id=trial.id, at=NOON)

    assert (files(store), trial.rows.count()) == ([], 0)
    assert RosterImport.objects.get(pk=trial.id).object_name == ""


def test_forget_import_leaves_a_file_that_is_still_needed(cohort: Cohort, store: Path) -> None:
    trial = carry_out(ask(cohort, is_dry_run=True))
    confirm_import(trial=trial, actor=None, at=NOON)
    OutboxMessage.objects.filter(topic=FORGET).delete()

    forget_import(import_id=trial.id, at=NOON + KEPT_FOR)

    later = NOON + KEPT_FOR + ASK_AGAIN_AFTER
    assert OutboxMessage.objects.get(topic=FORGET).available_at == later
    assert len(files(store)) == 1


def test_carry_out_import_takes_the_same_statements_for_3_and_300_rows(cohort: Cohort) -> None:
    taken = []
    for size in (1, 3, 300):  # the first reads the program's courses, which are then kept
        people = "".join(f"P{n},p{size}-{n}@example.org\n" for n in range(size))
        asked = ask(cohort, f"name,email\n{people}".encode())
        with CaptureQueriesContext(connection) as captured:
            carry_out(asked)
        taken.append(len(captured))

    assert taken[1] == taken[2]
    assert CohortEnrollment.objects.count() == 304


def test_how_far_an_import_is_shows_while_it_runs(
    own_database: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.cohorts.services.imports.BATCH", 2)
    asked = ask(open_cohort())
    seen = []
    place_all = services.imports.place_all

    def look(**said: Any) -> Any:
        with aside() as other, other.cursor() as cursor:
            cursor.execute("SELECT status, rows_done, rows_total FROM roster_imports")
            seen.append(cursor.fetchone())
            cursor.execute("SELECT count(*) FROM crm_contacts")
            seen.append(cursor.fetchone())
        return place_all(**said)

    monkeypatch.setattr("apps.cohorts.services.imports.place_all", look)
    carry_out(asked)

    assert seen == [("running", 2, 2), (0,)]
    assert RosterImport.objects.get().status == ImportStatus.DONE


# --- What the database refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"status": "done"}, "rosterimport_status_has_its_time"),
        ({"status": "failed", "finished_at": NOON}, "rosterimport_status_has_its_time"),
        ({"problem": {"status": 409}}, "rosterimport_status_has_its_time"),
        ({"finished_at": NOON}, "rosterimport_status_has_its_time"),
    ],
)
def test_the_database_refuses_an_import_in_no_state(
    cohort: Cohort, values: dict[str, Any], rule: str
) -> None:
    asked = ask(cohort)

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        RosterImport.objects.filter(pk=asked.pk).update(**values)


def test_the_database_refuses_a_trial_that_confirms_and_a_second_confirmation(
    cohort: Cohort,
) -> None:
    trial = carry_out(ask(cohort, is_dry_run=True))
    confirm_import(trial=trial, actor=None, at=NOON)
    another = {name: getattr(trial, name) for name in ("cohort", "filename", "sha256")}

    for said in ({"is_dry_run": True}, {"is_dry_run": False}):
        with pytest.raises(IntegrityError), transaction.atomic():
            RosterImport.objects.create(confirms=trial, size_bytes=1, **another, **said)


def test_the_database_refuses_to_change_a_report(cohort: Cohort) -> None:
    carry_out(ask(cohort))

    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        RosterImportRow.objects.update(outcome="created")
