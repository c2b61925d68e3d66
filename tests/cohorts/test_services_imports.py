from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.models import Cohort, CohortEnrollment, CohortStaff, ProgressEvent
from apps.cohorts.roster import read_roster
from apps.cohorts.roster.records import Roster, RosterRole, RosterRow, RosterSource, RowStatus
from apps.cohorts.services import RosterReport, import_roster
from apps.cohorts.services.enrollments import NotOpenForEnrolment
from apps.cohorts.services.imports import ClassNotChosen
from apps.contacts.models import AdminAction, Contact, ContactChannel
from apps.contacts.services import create_contact, merge_contacts
from apps.core.models import OutboxMessage
from tests.cohorts.factories import NOON, open_cohort, person, planned_cohort, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort() -> Cohort:
    return open_cohort(capacity=2)


def row(line: int, name: str, **fields: Any) -> RosterRow:
    said = {"email": f"{name.lower()}@example.org", **fields}
    return RosterRow(file="roster.csv", line=line, display_name=name, **said)


def bring(cohort: Cohort, *rows: RosterRow, **options: Any) -> RosterReport:
    roster = Roster(source=RosterSource.CSV, encoding="utf-8", rows=rows)
    return import_roster(cohort=cohort, roster=roster, actor=None, at=NOON, **options)


def told(report: RosterReport) -> list[tuple[int | None, str, tuple[str, ...], str]]:
    return [
        (o.line, o.outcome, o.did or ((o.code,) if o.code else ()), o.state)
        for o in report.outcomes
    ]


def tables() -> list[int]:
    models = (Contact, ContactChannel, CohortEnrollment, CohortStaff, ProgressEvent, OutboxMessage)
    return [model.objects.count() for model in models]


def test_import_roster_makes_and_enrols_people_in_the_files_order(cohort: Cohort) -> None:
    report = bring(cohort, row(2, "Bea"), row(3, "Ada", external_id="s-1"), row(4, "Cleo"))

    assert told(report) == [
        (2, "created", ("contact.created", "enrolled"), "enrolled"),
        (3, "created", ("contact.created", "enrolled"), "enrolled"),
        (4, "created", ("contact.created", "waitlisted"), "waitlisted"),
    ]
    assert report.counts == {"created": 3, "updated": 0, "unchanged": 0, "refused": 0}
    ada = Contact.objects.get(external_id="s-1")
    channel = ContactChannel.objects.get(contact=ada)
    assert (channel.value, channel.is_primary, channel.verified_at) == (
        "ada@example.org",
        True,
        None,
    )
    assert AdminAction.objects.get(action="roster.imported").details == {"created": 3}


def test_import_roster_again_changes_nothing(cohort: Cohort) -> None:
    rows = [row(2, "Ada", external_id="s-1", locale="de"), row(3, "Bea")]
    bring(cohort, *rows)
    before = tables()

    report = bring(cohort, *rows)

    assert told(report) == [(2, "unchanged", (), "enrolled"), (3, "unchanged", (), "enrolled")]
    assert tables() == before


def test_import_roster_as_a_dry_run_reports_the_same_and_changes_nothing(cohort: Cohort) -> None:
    rows = [row(2, "Ada"), row(3, "Bea"), row(4, "Cleo")]
    before = tables()

    dry = bring(cohort, *rows, dry_run=True)
    assert (dry.is_dry_run, tables()) == (True, before)

    assert bring(cohort, *rows).outcomes == dry.outcomes


def test_import_roster_updates_what_the_roster_says_anew(cohort: Cohort) -> None:
    known = create_contact(display_name="A. Lovelace", email="old@example.org", external_id="s-1")

    report = bring(cohort, row(2, "Ada", external_id="s-1", legal_name="Ada Lovelace"))

    assert told(report) == [
        (2, "updated", ("contact.updated", "email.added", "enrolled"), "enrolled")
    ]
    known.refresh_from_db()
    assert (known.display_name, known.legal_name) == ("Ada", "Ada Lovelace")
    assert dict(known.channels.values_list("value", "is_primary")) == {
        "old@example.org": True,
        "ada@example.org": False,
    }


def test_import_roster_leaves_the_name_that_somebody_with_a_login_chose(cohort: Cohort) -> None:
    known = person("Ada")
    Contact.objects.filter(pk=known.pk).update(user_id=uuid4())

    report = bring(
        cohort, row(2, "Countess", email="ADA@example.org", locale="fr", legal_name="A. L.")
    )

    assert told(report) == [(2, "updated", ("contact.updated", "enrolled"), "enrolled")]
    known.refresh_from_db()
    assert (known.display_name, known.locale, known.legal_name) == ("Ada", "", "A. L.")


def test_import_roster_refuses_what_it_would_have_to_guess(cohort: Cohort) -> None:
    create_contact(display_name="Ada", email="ada@example.org", external_id="s-1")
    create_contact(display_name="Bea", email="bea@example.org", external_id="s-2")

    report = bring(
        cohort,
        row(2, "Ada", external_id="s-2"),
        row(3, "Bea", external_id="s-3"),
        row(4, "Ada", external_id="s-1"),
        row(5, "Ada again", email="", external_id="s-1"),
        row(6, "Mum", role=RosterRole.PARENT),
    )

    assert told(report) == [
        (2, "refused", ("two-people",), ""),
        (3, "refused", ("another-external-id",), ""),
        (4, "updated", ("enrolled",), "enrolled"),
        (5, "refused", ("repeated",), ""),
        (6, "refused", ("role-not-imported",), ""),
    ]
    assert Contact.objects.count() == 2


def test_import_roster_finds_the_survivor_of_a_merged_contact(cohort: Cohort) -> None:
    old = create_contact(display_name="Old", email="old@example.org", external_id="s-1")
    new = person("New")
    merge_contacts(source=old, into=new, actor=None)

    report = bring(cohort, row(2, "New", email="old@example.org"))

    assert told(report) == [(2, "updated", ("enrolled",), "enrolled")]
    assert CohortEnrollment.objects.get().contact == new


def test_import_roster_withdraws_who_is_to_be_deleted_and_promotes(cohort: Cohort) -> None:
    people = [row(2, "Ada"), row(3, "Bea"), row(4, "Cleo")]
    bring(cohort, *people)
    gone = RowStatus.TO_BE_DELETED

    report = bring(cohort, row(2, "Ada", status=gone), row(3, "Nobody", status=gone), row(4, "Dan"))

    assert told(report) == [
        (2, "updated", ("withdrawn",), "withdrawn"),
        (3, "unchanged", (), ""),
        (4, "created", ("contact.created", "waitlisted"), "waitlisted"),
    ]
    assert states(cohort) == {
        "Ada": "withdrawn",
        "Bea": "enrolled",
        "Cleo": "enrolled",
        "Dan": "waitlisted",
    }


def test_import_roster_makes_teachers_staff_and_no_longer(cohort: Cohort) -> None:
    teacher = row(2, "Tess", role=RosterRole.TEACHER)
    gone = row(2, "Tess", role=RosterRole.TEACHER, status=RowStatus.TO_BE_DELETED)

    assert told(bring(cohort, teacher)) == [(2, "created", ("contact.created", "staff.added"), "")]
    assert list(CohortStaff.objects.values_list("contact__display_name", "role")) == [
        ("Tess", "instructor")
    ]
    assert told(bring(cohort, teacher)) == [(2, "unchanged", (), "")]
    assert told(bring(cohort, gone)) == [(2, "updated", ("staff.removed",), "")]
    assert not CohortStaff.objects.exists()


def test_import_roster_of_several_classes_asks_which(cohort: Cohort) -> None:
    rows = [row(2, "Ada", class_id="c1"), row(3, "Bea", class_id="c2")]

    with pytest.raises(ClassNotChosen):
        bring(cohort, *rows)

    assert [outcome.name for outcome in bring(cohort, *rows, class_id="c2").outcomes] == ["Bea"]


def test_import_roster_into_a_planned_cohort_is_refused() -> None:
    with pytest.raises(NotOpenForEnrolment):
        bring(planned_cohort(), row(2, "Ada"))

    assert not Contact.objects.exists()


def test_import_roster_reports_what_the_reader_refused_in_place(cohort: Cohort) -> None:
    data = "name,email\nAda,ada@example.org\nBea,nonsense\nÇ,cleo@example.org\n"

    report = import_roster(
        cohort=cohort,
        roster=read_roster(data.encode("windows-1252"), "people.csv"),
        actor=None,
        at=NOON,
    )

    assert [(o.file, o.line, o.outcome, o.code) for o in report.outcomes] == [
        ("people.csv", 2, "created", ""),
        ("people.csv", 3, "refused", "invalid-email"),
        ("people.csv", 4, "created", ""),
    ]
    assert states(cohort) == {"Ada": "enrolled", "Ç": "enrolled"}


def test_import_roster_that_cannot_be_read_changes_nothing(cohort: Cohort) -> None:
    roster = read_roster(b"colour,shape\nred,round\n", "things.csv")

    report = import_roster(cohort=cohort, roster=roster, actor=None, at=NOON)

    assert report.failed
    assert [(o.line, o.outcome) for o in report.outcomes] == [(None, "refused")]


def test_import_roster_takes_the_same_statements_for_any_number() -> None:
    cohort = open_cohort()
    statements = []
    for size in (1, 3, 60):  # the first reads the frozen course as well
        rows = [row(n + 2, f"P{size}x{n}", external_id=f"{size}-{n}") for n in range(size)]
        with CaptureQueriesContext(connection) as captured:
            bring(cohort, *rows)
        statements.append(len(captured))

    assert statements[1] == statements[2]
    assert Contact.objects.count() == 64
