"""The back office of cohorts and their people, driven over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_tenants.utils import tenant_context

from apps.cohorts import ports
from apps.cohorts.models import Cohort, CohortEnrollment, CohortStaff, CourseProgress
from apps.cohorts.services import FORGET, IMPORT, add_staff, enroll, enroll_all, invite
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.organizations.models import Organization, OrgRole
from tests.clients import browser
from tests.cohorts.conftest import Answer
from tests.cohorts.factories import NOON, open_cohort, people, person, planned_cohort, states
from tests.factories import member
from tests.outbox import drain
from tests.programs.factories import draft_program, published_course, published_program
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db

ADD = "/admin/cohorts/cohort/add/"
CSV = "name,email\nAda,ada@example.org\nBea,nonsense\nCleo,cleo@example.org\n"


@pytest.fixture
def owner() -> Client:
    return browser(member(OrgRole.OWNER))


def page(cohort: Cohort, *more: str) -> str:
    return "/".join(["/admin/cohorts/cohort", str(cohort.pk), *(more or ("change",)), ""])


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def actions() -> list[str]:
    return list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True))


def instructor_of(*cohorts: Cohort) -> Contact:
    tess = member(OrgRole.INSTRUCTOR)
    for cohort in cohorts:
        add_staff(cohort=cohort, contact=tess, role="instructor", actor=None)
    return tess


def new_cohort(**changes: Any) -> dict[str, Any]:
    said = {"title": "Spring", "slug": "spring", "starts_on": "2026-03-02"}
    return {**said, "timezone": "Europe/Berlin", **changes}


def test_a_cohort_is_made_and_changed_through_services(owner: Client) -> None:
    program, draft = published_program(), draft_program(slug="draft")

    offered = owner.get(ADD).content.decode()
    made = owner.post(ADD, new_cohort(program_version=str(program.id)), follow=True)
    cohort = Cohort.objects.get()
    owner.post(
        page(cohort),
        {"title": "Spring", "starts_on": "2026-03-02", "capacity": 3, "timezone": "Europe/Berlin"},
    )

    cohort.refresh_from_db()
    assert made.status_code == 200
    assert str(program.id) in offered
    assert str(draft.id) not in offered
    assert (cohort.capacity, cohort.slug, cohort.status) == (3, "spring", "planned")
    assert actions() == ["cohort.created", "cohort.updated"]
    assert AdminAction.objects.get(action="cohort.updated").details == {"capacity": "3"}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ends_on": "2026-01-01"}, "break the rule “cohort ends after it starts”"),
        ({"timezone": "Mars/Olympus"}, "is not an IANA time zone"),
        ({"capacity": "0"}, "break the rule “cohort capacity positive”"),
        ({"starts_on": "soon"}, "Enter a valid date"),
        ({"program_version": "x"}, "is not a valid UUID"),
    ],
)
def test_a_cohort_that_cannot_be_is_not_made(
    owner: Client, changes: dict[str, Any], text: str
) -> None:
    body = new_cohort(program_version=str(published_program().id)) | changes

    response = owner.post(ADD, body)

    assert response.status_code == 200
    assert text in response.content.decode()
    assert not Cohort.objects.exists()


def test_a_cohort_is_opened_and_ended_after_a_question(owner: Client) -> None:
    cohort = planned_cohort()

    asked = owner.get(page(cohort, "move", "open"))
    opened = owner.post(page(cohort, "move", "open"), follow=True)
    enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)
    question = owner.get(page(cohort, "move", "end")).content.decode()
    cohort.refresh_from_db()
    before = cohort.status
    owner.post(page(cohort, "move", "end"))

    cohort.refresh_from_db()
    assert (asked.status_code, messages(opened)) == (200, ["The cohort is open."])
    assert (before, cohort.status) == ("open", "ended")
    assert "It concerns 1 person." in question
    assert states(cohort) == {"Ada": "ended"}
    assert owner.post(page(cohort), {"title": "X"}).status_code == 403


def test_a_cohort_that_is_not_ready_stays_planned_and_tells_why(
    owner: Client, answers: Answer
) -> None:
    answers(ports.program_is_ready, lambda program_version_id: False)
    cohort = planned_cohort()

    response = owner.post(page(cohort, "move", "open"), follow=True)

    assert messages(response) == ["The program has no published progression requirements yet."]
    cohort.refresh_from_db()
    assert cohort.status == "planned"


def test_the_roster_shows_state_progress_and_staff(owner: Client) -> None:
    cohort = open_cohort(capacity=1)
    ada, _bea = enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)
    add_staff(cohort=cohort, contact=person("Tess"), role="grader", actor=None)
    CourseProgress.objects.filter(enrollment=ada).update(status="in_progress", percent_complete=66)

    shown = owner.get(page(cohort, "roster")).content.decode()
    waiting = owner.get(page(cohort, "roster") + "?state=waitlisted").content.decode()

    assert "66 %" in shown
    assert "Tess" in shown
    assert "enrolled: 1" in shown
    assert ("Bea" in waiting, ">Ada<" in waiting) == (True, False)


def test_the_roster_takes_the_same_statements_for_20_and_200_learners(owner: Client) -> None:
    program = published_program(published_course("one"), published_course("two"))
    taken = []
    for size in (20, 200):
        cohort = open_cohort(program, slug=f"c{size}")
        contacts = people(*(f"P{size}x{n}" for n in range(size)))
        enroll_all(cohort=cohort, contacts=contacts, actor=None, at=NOON)
        taken.append(statements(owner, page(cohort, "roster")))

    assert taken[0] == taken[1]


def test_learners_are_added_by_their_address(owner: Client) -> None:
    cohort = open_cohort()
    person("Ada")

    answers = [
        owner.post(page(cohort, "roster", "add"), body, follow=True)
        for body in (
            {"email": "ADA@example.org"},
            {"email": "new@example.org", "display_name": "New"},
            {"email": "asked@example.org", "display_name": "Asked", "only_invite": "on"},
            {"email": "nameless@example.org"},
            {"email": "nonsense"},
        )
    ]

    assert states(cohort) == {"Ada": "enrolled", "New": "enrolled", "Asked": "invited"}
    assert messages(answers[0]) == ["Added."]
    assert messages(answers[3])[0] == "This address is new here: give a name too."
    assert "Enter a valid email address" in answers[4].content.decode()
    assert actions() == [
        "cohort.created",
        "cohortenrollment.enrolled",
        "cohortenrollment.enrolled",
        "cohortenrollment.invited",
    ]


def test_chosen_people_are_withdrawn_and_the_next_gets_the_seat(owner: Client) -> None:
    cohort = open_cohort(capacity=1)
    ada, _bea = enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)
    other = open_cohort(cohort.program_version, slug="other")
    eve = enroll(cohort=other, contact=person("Eve"), actor=None, at=NOON)

    done = owner.post(
        page(cohort, "roster", "chosen"), {"enrollment": [ada.id], "withdraw": "1"}, follow=True
    )
    foreign = owner.post(
        page(cohort, "roster", "chosen"), {"enrollment": [eve.id], "withdraw": "1"}, follow=True
    )
    nonsense = owner.post(page(cohort, "roster", "chosen"), {"enrollment": "x"}, follow=True)

    assert messages(done) == ["They are withdrawn."]
    assert messages(foreign) == messages(nonsense) == ["Choose somebody first."]
    assert (states(cohort), states(other)) == (
        {"Ada": "withdrawn", "Bea": "enrolled"},
        {"Eve": "enrolled"},
    )
    assert AdminAction.objects.get(action="cohort.withdrawn").details == {
        "enrollments": [str(ada.id)]
    }


def test_the_invited_among_the_chosen_are_enrolled(owner: Client) -> None:
    cohort = open_cohort()
    asked = invite(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)

    owner.post(page(cohort, "roster", "chosen"), {"enrollment": [asked.id], "enroll": "1"})

    assert states(cohort) == {"Ada": "enrolled"}


def test_free_seats_go_to_those_who_wait(owner: Client) -> None:
    cohort = open_cohort(capacity=1)
    enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)
    Cohort.objects.update(capacity=2)

    owner.post(page(cohort, "roster", "promote"))

    assert states(cohort) == {"Ada": "enrolled", "Bea": "enrolled"}
    assert actions() == ["cohort.created", "cohort.promoted"]


def test_staff_are_added_and_removed(owner: Client) -> None:
    cohort, tess = planned_cohort(), person("Tess")
    add = page(cohort, "staff", "add")

    owner.post(add, {"email": "tess@example.org", "role": "grader"}, follow=True)
    unknown = owner.post(add, {"email": "who@example.org", "role": "grader"}, follow=True)
    [staff] = CohortStaff.objects.all()
    owner.post(page(cohort, "staff", str(staff.id), "remove"), follow=True)
    again = owner.post(page(cohort, "staff", str(staff.id), "remove"), follow=True)

    assert (staff.contact, staff.role) == (tess, "grader")
    assert messages(unknown) == ["Nobody here has this address."]
    assert messages(again) == ["They work here no longer."]
    assert not CohortStaff.objects.exists()


# --- Roster import ------------------------------------------------------------------------------


def upload(client: Client, cohort: Cohort, text: str, **more: str) -> Any:
    file = SimpleUploadedFile("people.csv", text.encode(), "text/csv")
    return client.post(page(cohort, "roster", "import"), {"file": file, **more})


def address_of(response: Any) -> str:
    assert response.status_code == 302, response.content.decode()
    found: str = response["Location"]
    return found


def confirm(client: Client, trial: str) -> Any:
    return client.post(f"{trial}confirm/")


def outcomes(response: Any) -> list[tuple[int | None, str]]:
    return [(row.line, row.outcome) for row in response.context["page"]]


def test_a_roster_is_tried_first_and_then_imported_once(owner: Client, store: Path) -> None:
    cohort = open_cohort()

    trial = address_of(upload(owner, cohort, CSV))
    waiting = owner.get(trial).content.decode()
    drain(IMPORT)
    tried, before = owner.get(trial), states(cohort)
    first, again = address_of(confirm(owner, trial)), address_of(confirm(owner, trial))
    drain(IMPORT, FORGET)
    done, listed = owner.get(first), owner.get(page(cohort, "roster", "import"))

    assert "The file waits for its turn." in waiting
    assert '<meta http-equiv="refresh"' in waiting
    assert "Nothing has changed yet" in tried.content.decode()
    assert "refresh" not in tried.content.decode()
    assert outcomes(tried) == outcomes(done) == [(3, "refused"), (2, "created"), (4, "created")]
    assert before == {}
    assert states(cohort) == {"Ada": "enrolled", "Cleo": "enrolled"}
    assert "is not an e-mail address" in done.content.decode()
    assert first == again
    assert "Import it" not in owner.get(trial).content.decode()
    assert [path for path in store.rglob("*") if path.is_file()] == []
    assert actions().count("roster.imported") == 1
    assert [address for _one, address in listed.context["imports"]] == [first, trial]


def test_a_report_is_paged_filtered_and_sent_as_a_file(owner: Client) -> None:
    cohort = open_cohort()
    people = "".join(f"P{n},{'' if n % 3 else 'no '}p{n}@example.org\n" for n in range(300))
    trial = address_of(upload(owner, cohort, f"name,email\n{people}"))
    drain(IMPORT)

    second = owner.get(f"{trial}?p=2")
    refused = owner.get(f"{trial}?outcome=refused")
    report = owner.get(f"{trial}report.csv")

    assert [outcome for _line, outcome in outcomes(owner.get(trial))[:101]] == [
        *["refused"] * 100,
        "created",
    ]
    assert len(outcomes(second)) == 100
    assert [outcome for _line, outcome in outcomes(refused)] == ["refused"] * 100
    assert (report.content[:3], report.content.count(b"\r\n")) == (b"\xef\xbb\xbf", 301)


def test_a_trial_that_changes_nothing_or_was_confirmed_is_not_offered_again(
    owner: Client,
) -> None:
    cohort = open_cohort()
    trial = address_of(upload(owner, cohort, CSV))
    drain(IMPORT)
    imported = address_of(confirm(owner, trial))
    drain(IMPORT)
    again = address_of(upload(owner, cohort, CSV))
    drain(IMPORT)

    confirmed, repeated = owner.get(trial), owner.get(again)

    assert f'<a href="{imported}">See the import</a>' in confirmed.content.decode()
    assert "it would change nothing" in repeated.content.decode()
    assert "Import it" not in confirmed.content.decode() + repeated.content.decode()
    told = [(place, name, said) for place, _row, name, said in owner.get(imported).context["rows"]]
    assert told[1:] == [
        ("2", "new", "added to the people, enrolled"),
        ("4", "new", "added to the people, enrolled"),
    ]


def test_a_trial_is_of_its_cohort_only(owner: Client) -> None:
    cohort = open_cohort()
    other = open_cohort(cohort.program_version, slug="other")
    trial = address_of(upload(owner, cohort, CSV))
    drain(IMPORT)
    elsewhere = trial.replace(str(cohort.pk), str(other.pk))

    refused = [
        owner.get(elsewhere),
        confirm(owner, elsewhere),
        owner.get(f"{elsewhere}report.csv"),
        owner.get(f"{trial}confirm/"),
    ]

    assert [response.status_code for response in refused] == [404] * 4
    assert not CohortEnrollment.objects.exists()


def test_a_file_that_nobody_came_back_for_is_forgotten(owner: Client, store: Path) -> None:
    trial = address_of(upload(owner, open_cohort(), CSV))
    drain(IMPORT)
    OutboxMessage.objects.filter(topic=FORGET).update(available_at=now())

    drain(FORGET)

    gone = owner.get(trial).content.decode()
    refused = owner.post(f"{trial}confirm/", follow=True)
    assert [path for path in store.rglob("*") if path.is_file()] == []
    assert "The report of a trial is kept for a day; this one is gone." in gone
    assert "Import it" not in gone
    assert messages(refused) == ["This roster is no longer kept: choose the file again."]


def test_a_roster_that_cannot_be_used_is_not_offered_for_import(owner: Client) -> None:
    cohort = open_cohort()
    classes = "name,email,class\nAda,a@example.org,One\nBea,b@example.org,Two\n"

    unreadable = upload(owner, cohort, "colour,shape\nred,round\n")
    planned = upload(owner, planned_cohort(cohort.program_version, slug="planned"), CSV)
    nothing = owner.post(page(cohort, "roster", "import"), {})
    which = address_of(upload(owner, cohort, classes))
    chosen = address_of(upload(owner, cohort, classes, class_id="Two"))
    drain(IMPORT)

    for response in (unreadable, planned, nothing, owner.get(which)):
        assert "Import it" not in response.content.decode()
    assert "Nothing of this roster can be used." in unreadable.content.decode()
    assert "Found: “colour”, “shape”." in unreadable.content.decode()
    assert "“Planned” is planned." in planned.content.decode()
    told = owner.get(which).content.decode()
    assert "The roster has several classes: say which one to import." in told
    assert "<li>One</li><li>Two</li>" in told
    assert outcomes(owner.get(chosen)) == [(3, "created")]


def test_an_import_that_fails_again_and_again_says_so(owner: Client) -> None:
    trial = address_of(upload(owner, open_cohort(), CSV))
    owed = OutboxMessage.objects.filter(topic=IMPORT)

    owed.update(attempts=1)
    assert "It failed and will be tried again." in owner.get(trial).content.decode()
    owed.update(parked_at=now())
    assert "was put aside" in owner.get(trial).content.decode()


# --- Who sees what ------------------------------------------------------------------------------


def pages_of(cohort: Cohort) -> list[str]:
    return [
        page(cohort),
        page(cohort, "roster"),
        page(cohort, "roster", "import"),
        page(cohort, "sessions"),
        page(cohort, "move", "end"),
    ]


WRITES = [
    ("roster", "add"),
    ("roster", "chosen"),
    ("roster", "promote"),
    ("roster", "import"),
    ("staff", "add"),
    ("sessions",),
    ("move", "end"),
    ("move", "cancel"),
]


def test_instructors_see_and_run_only_the_cohorts_they_staff() -> None:
    mine = open_cohort()
    other = open_cohort(mine.program_version, slug="autumn")
    tess = browser(instructor_of(mine))
    enroll(cohort=other, contact=person("Hidden"), actor=None, at=NOON)

    listed = tess.get("/admin/cohorts/cohort/").content.decode()
    people_listed = tess.get("/admin/cohorts/cohortenrollment/").content.decode()

    assert (str(mine.pk) in listed, str(other.pk) in listed) == (True, False)
    assert "Hidden" not in people_listed
    assert [tess.get(address).status_code for address in pages_of(mine)] == [200] * 5
    assert [tess.get(address).status_code for address in pages_of(other)] == [404] * 5
    assert [tess.post(page(other, *write)).status_code for write in WRITES] == [404] * len(WRITES)
    assert tess.get(ADD).status_code == 403
    assert states(other) == {"Hidden": "enrolled"}


def test_an_auditor_reads_and_changes_nothing() -> None:
    cohort = open_cohort()
    auditor = browser(member(OrgRole.AUDITOR))

    assert [auditor.get(address).status_code for address in pages_of(cohort)] == [200] * 4 + [404]
    assert "submit-row" not in auditor.get(page(cohort, "roster")).content.decode()
    refused = [auditor.post(page(cohort, *write)).status_code for write in WRITES]
    assert refused == [404] * len(WRITES)
    assert auditor.post(page(cohort), {"title": "X"}).status_code == 403


def test_a_learner_stays_outside() -> None:
    cohort = open_cohort()
    ada = member()
    enroll(cohort=cohort, contact=ada, actor=None, at=NOON)
    client = browser(ada)

    assert {client.get(address, follow=True).status_code for address in pages_of(cohort)} == {403}


def test_a_cohort_of_another_organisation_is_not_found(org_b: Organization, store: Path) -> None:
    with tenant_context(org_b):
        theirs = open_cohort(published_program(published_course("b"), slug="b"))
    owner = browser(member(OrgRole.OWNER))

    assert [owner.get(address).status_code for address in pages_of(theirs)] == [404] * 5
    assert [owner.post(page(theirs, *write)).status_code for write in WRITES] == [404] * len(WRITES)
    with tenant_context(org_b):
        assert Cohort.objects.get().status == "open"


@pytest.mark.parametrize(
    "name",
    ["cohort", "cohortenrollment", "courseprogress", "progressevent", "attendancerecord"],
)
def test_lists_take_the_same_statements_for_2_and_20_rows(owner: Client, name: str) -> None:
    program = published_program()
    taken = []
    for size in (2, 18):
        for n in range(size):
            cohort = open_cohort(program, slug=f"c{size}-{n}")
            enroll(cohort=cohort, contact=person(f"P{size}x{n}"), actor=None, at=NOON)
        taken.append(statements(owner, f"/admin/cohorts/{name}/"))

    assert taken[0] == taken[1]


def test_records_of_what_happened_can_only_be_looked_at(owner: Client) -> None:
    enrollment = enroll(cohort=open_cohort(), contact=person("Ada"), actor=None, at=NOON)
    event = enrollment.events.first()
    assert event is not None
    address = f"/admin/cohorts/progressevent/{event.id}/change/"

    assert owner.get(address).status_code == 200
    assert owner.post(address, {"type": "course_completed"}).status_code == 403
    assert owner.get("/admin/cohorts/progressevent/add/").status_code == 403
    assert owner.post(f"/admin/cohorts/progressevent/{event.id}/delete/").status_code == 403
