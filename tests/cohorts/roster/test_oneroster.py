import os
from pathlib import Path

import pytest

from apps.cohorts.roster import read_roster
from apps.cohorts.roster.records import (
    Roster,
    RosterClass,
    RosterMode,
    RosterRole,
    RosterRow,
    RosterSource,
    RowProblem,
    RowStatus,
)
from tests.cohorts.roster.packages import (
    CLASSES,
    ENROLLMENTS,
    USERS,
    manifest,
    package,
    zipped,
)

SAMPLES = (
    Path(os.environ.get("ASSAY_SAMPLES", Path(__file__).parents[3].parent / "shared" / "samples"))
    / "oneroster"
)
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"no OneRoster samples at {SAMPLES}; set ASSAY_SAMPLES"
)

ADA = RosterRow(
    file="enrollments.csv",
    line=2,
    display_name="Ada Lovelace",
    given_name="Ada",
    family_name="Lovelace",
    email="ada@example.org",
    external_id="u1",
    role=RosterRole.TEACHER,
    class_id="c1",
    class_title="Ladders",
)


def read(data: bytes) -> Roster:
    return read_roster(data, "roster.zip")


def problems_of(data: bytes) -> list[tuple[str, int | None, str | None, str]]:
    return [
        (problem.file, problem.line, problem.column, problem.code)
        for problem in read(data).problems
    ]


def people_of(roster: Roster) -> list[tuple[str, str, str, str]]:
    return [
        (row.external_id, row.class_id, row.role.value, row.status.value) for row in roster.rows
    ]


def test_read_roster_reads_enrolments_and_then_the_others() -> None:
    roster = read(package())

    assert roster == Roster(
        source=RosterSource.ONEROSTER_1_1,
        encoding="utf-8",
        mode=RosterMode.BULK,
        classes=(RosterClass("c1", "Ladders"), RosterClass("c2", "Ropes")),
        rows=roster.rows,
    )
    assert roster.rows[0] == ADA
    assert people_of(roster) == [
        ("u1", "c1", "teacher", "active"),
        ("u2", "c1", "student", "active"),
        ("u2", "c2", "student", "active"),
        ("u3", "", "student", "active"),
    ]


@needs_samples
def test_read_roster_reads_the_minimal_sample() -> None:
    roster = read_roster((SAMPLES / "Test_minimal_data_set.zip").read_bytes(), "minimal.zip")

    assert (roster.source, roster.mode, roster.problems) == (
        RosterSource.ONEROSTER_1_1,
        RosterMode.BULK,
        (),
    )
    assert roster.classes == (
        RosterClass("cls-222-123456", "Introduction to Physics"),
        RosterClass("cls-222-123478", "History - 2"),
    )
    assert people_of(roster) == [
        ("usr-222-123456", "cls-222-123456", "teacher", "active"),
        ("usr-222-987654", "cls-222-123456", "student", "active"),
        ("usr-222-1234561232", "cls-222-123456", "student", "active"),
        ("usr-222-123456", "cls-222-123478", "teacher", "active"),
        ("usr-222-987654", "cls-222-123478", "student", "active"),
        ("usr-222-1234561232", "cls-222-123478", "student", "active"),
        ("usr-222-66778899", "", "student", "active"),
        ("usr-222-1234561", "", "parent", "active"),
        ("usr-222-567891", "", "student", "active"),
    ]
    assert {row.email for row in roster.rows} == {""}


@needs_samples
def test_read_roster_reads_the_full_sample() -> None:
    roster = read_roster((SAMPLES / "v1p2_full_dataset.zip").read_bytes(), "full.zip")

    assert (roster.source, roster.mode, roster.problems) == (
        RosterSource.ONEROSTER_1_2,
        RosterMode.BULK,
        (),
    )
    assert roster.classes == (
        RosterClass("cls-222-123456", "Introduction to Physics"),
        RosterClass("cls-222-123478", "History - 2", RowStatus.TO_BE_DELETED),
    )
    assert people_of(roster) == [
        ("usr-222-123456", "cls-222-123456", "teacher", "active"),
        ("usr-222-987654", "cls-222-123456", "student", "active"),
        ("usr-222-1234561232", "cls-222-123456", "student", "active"),
        ("usr-222-123456", "cls-222-123478", "teacher", "tobedeleted"),
        ("usr-222-987654", "cls-222-123478", "student", "tobedeleted"),
        ("usr-222-1234561232", "cls-222-123478", "student", "tobedeleted"),
        ("usr-222-66778899", "", "student", "active"),
        ("usr-222-1234561", "", "siteAdministrator", "active"),
        ("usr-222-567891", "", "student", "active"),
    ]
    assert roster.rows[0] == RosterRow(
        file="enrollments.csv",
        line=2,
        display_name="John Doe",
        given_name="John",
        family_name="Doe",
        email="john.doe@myschool.com",
        external_id="usr-222-123456",
        role=RosterRole.TEACHER,
        class_id="cls-222-123456",
        class_title="Introduction to Physics",
    )


def test_read_roster_finds_files_whatever_their_case_and_folder() -> None:
    members: dict[str, str | bytes] = {
        "School/Manifest.CSV": manifest(),
        "School/USERS.csv": USERS.replace("sourcedId", "SOURCEDID"),
        "School/Classes.csv": CLASSES,
        "School/enrollments.CSV": ENROLLMENTS,
        "__MACOSX/._users.csv": b"\0\5\x16",
    }

    assert people_of(read(zipped(members))) == people_of(read(package()))


def test_read_roster_takes_the_primary_role_of_one_point_two() -> None:
    users = "sourcedId,givenName,familyName\nu1,Ada,Lovelace\nu2,Alan,Turing\nu3,Grace,Hopper\n"
    roles = (
        "sourcedId,status,userSourcedId,roleType,role\n"
        "r1,,u1,secondary,guardian\nr2,,u1,primary,Teacher\nr3,,u2,secondary,aide\n"
        "r4,tobedeleted,u2,primary,student\nr5,,u3,primary,wizard\n"
    )
    data = package(
        manifest=manifest("1.2", classes="absent", enrollments="absent", roles="bulk"),
        users=users,
        roles=roles,
    )

    assert people_of(read(data)) == [
        ("u1", "", "teacher", "active"),
        ("u2", "", "aide", "active"),
    ]
    assert problems_of(data) == [
        ("roles.csv", 6, "role", "unknown-role"),
        ("classes.csv", None, None, "undeclared-file"),
        ("enrollments.csv", None, None, "undeclared-file"),
        ("users.csv", 4, "role", "missing-role"),
    ]


@pytest.mark.parametrize(
    ("replaced", "by", "expected"),
    [
        ("e2,,,c1", "e2,tobedeleted,,c1", ("u2", "c1", "student", "tobedeleted")),
        ("e2,,,c1", "e2,active,,c1", ("u2", "c1", "student", "active")),
    ],
)
def test_read_roster_marks_ended_enrolments(
    replaced: str, by: str, expected: tuple[str, str, str, str]
) -> None:
    roster = read(package(enrollments=ENROLLMENTS.replace(replaced, by)))

    assert expected in people_of(roster)


def test_read_roster_marks_rows_of_ended_people_and_classes() -> None:
    roster = read(
        package(
            users=USERS.replace("u3,,", "u3,tobedeleted,"),
            classes=CLASSES.replace("c2,,", "c2,tobedeleted,"),
        )
    )

    assert people_of(roster)[2:] == [
        ("u2", "c2", "student", "tobedeleted"),
        ("u3", "", "student", "tobedeleted"),
    ]


@pytest.mark.parametrize("order", [("tobedeleted", "active"), ("active", "tobedeleted")])
def test_read_roster_lets_the_active_of_two_enrolments_count(order: tuple[str, str]) -> None:
    rows = "".join(f"e{n},{status},,c1,o1,u1,teacher\n" for n, status in enumerate(order))
    data = package(enrollments=ENROLLMENTS.splitlines()[0] + "\n" + rows)

    active = 2 + order.index("active")
    roster = read(data)

    assert [(row.line, row.status) for row in roster.rows_of("c1")] == [(active, RowStatus.ACTIVE)]
    assert roster.problems == (
        RowProblem(
            "enrollments.csv",
            2 + order.index("tobedeleted"),
            None,
            "superseded-enrollment",
            f"The enrolment in line {active} is active and counts instead.",
        ),
    )


@pytest.mark.parametrize(
    ("file", "row", "expected"),
    [
        ("users", "u9,,,,,student,x,X,Y,nobody", [("users.csv", 5, "email", "invalid-email")]),
        (
            "users",
            "u9,,,,,student,x,X,Y,ADA@example.org",
            [("users.csv", 5, "email", "duplicate-email")],
        ),
        (
            "users",
            "u1,,,,,student,x,X,Y,",
            [("users.csv", 5, "sourcedId", "duplicate-external-id")],
        ),
        ("users", ",,,,,student,x,X,Y,", [("users.csv", 5, "sourcedId", "missing-identifier")]),
        ("users", "u9,,,,,student,x,,,", [("users.csv", 5, "givenName", "missing-name")]),
        ("users", "u9,,,,,boss,x,X,Y,", [("users.csv", 5, "role", "unknown-role")]),
        ("users", "u9,,,,,,x,X,Y,", [("users.csv", 5, "role", "missing-role")]),
        ("users", "u9,gone,,,,student,x,X,Y,", [("users.csv", 5, "status", "unknown-status")]),
        ("users", "u9,,,,,student,x,X", [("users.csv", 5, None, "too-few-cells")]),
        ("users", "u9,,,,,student,x,X\0,Y,", [("users.csv", 5, None, "control-character")]),
        ("classes", "c9,,,", [("classes.csv", 4, "title", "missing-title")]),
        ("classes", "c1,,,Again", [("classes.csv", 4, "sourcedId", "duplicate-external-id")]),
        (
            "enrollments",
            "e9,,,c1,o1,u9,student",
            [("enrollments.csv", 5, "userSourcedId", "unknown-user")],
        ),
        (
            "enrollments",
            "e9,,,c9,o1,u3,student",
            [("enrollments.csv", 5, "classSourcedId", "unknown-class")],
        ),
        ("enrollments", "e9,,,c1,o1,u3,boss", [("enrollments.csv", 5, "role", "unknown-role")]),
        ("enrollments", "e9,,,c1,o1,u3,", [("enrollments.csv", 5, "role", "unknown-role")]),
        (
            "enrollments",
            "e9,,,c1,o1,u1,student",
            [("enrollments.csv", 5, None, "duplicate-enrollment")],
        ),
    ],
)
def test_read_roster_refuses_a_row(
    file: str, row: str, expected: list[tuple[str, int | None, str | None, str]]
) -> None:
    texts = {"users": USERS, "classes": CLASSES, "enrollments": ENROLLMENTS}
    data = package(**{file: texts[file] + row + "\n"})

    assert problems_of(data) == expected
    assert len(read(data).rows_of("c1")) == 2


def test_read_roster_refuses_enrolments_of_refused_people_and_classes() -> None:
    data = package(
        users=USERS.replace("alan@", "alan"), classes=CLASSES.replace("c2,,,Ropes", "c2,,,")
    )

    assert people_of(read(data)) == [
        ("u1", "c1", "teacher", "active"),
        ("u3", "", "student", "active"),
    ]
    assert problems_of(data) == [
        ("users.csv", 3, "email", "invalid-email"),
        ("classes.csv", 3, "title", "missing-title"),
        ("enrollments.csv", 3, "userSourcedId", "refused-user"),
        ("enrollments.csv", 4, "userSourcedId", "refused-user"),
    ]


def test_read_roster_demands_a_status_in_delta_files() -> None:
    data = package(
        manifest=manifest(enrollments="delta"),
        enrollments=ENROLLMENTS.replace("e1,,", "e1,active,"),
    )

    assert read(data).mode == RosterMode.DELTA
    assert problems_of(data) == [
        ("enrollments.csv", 3, "status", "missing-status"),
        ("enrollments.csv", 4, "status", "missing-status"),
    ]


def test_read_roster_names_who_is_to_be_deleted_by_identifier_if_need_be() -> None:
    data = package(users=USERS + "u9,tobedeleted,,,,student,,,,\n")

    assert [(row.external_id, row.display_name) for row in read(data).rows][-1] == ("u9", "u9")


@pytest.mark.parametrize(
    ("data", "file", "code", "message"),
    [
        (
            zipped({"users.csv": USERS}),
            "roster.zip",
            "missing-manifest",
            "A OneRoster package has a manifest.csv. Found: users.csv.",
        ),
        (
            zipped({"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"}),
            "roster.zip",
            "spreadsheet",
            "This is a spreadsheet: save it as CSV.",
        ),
        (
            package(manifest=manifest("1.0")),
            "manifest.csv",
            "unsupported-version",
            "Manifest version “1.0” and OneRoster version “1.0” were found; 1.0 and either 1.1 or "
            "1.2 can be read.",
        ),
        (
            package(manifest="propertyName,value\n"),
            "manifest.csv",
            "unsupported-version",
            "Manifest version “” and OneRoster version “” were found; 1.0 and either 1.1 or 1.2 "
            "can be read.",
        ),
        (
            package(manifest=manifest(users="some")),
            "manifest.csv",
            "unknown-mode",
            "“some” is none of bulk, delta and absent.",
        ),
        (
            package(manifest="name,value\n"),
            "manifest.csv",
            "missing-columns",
            "Needed: “propertyName”. Found: “name”, “value”.",
        ),
        (
            package(manifest=manifest(users="absent")),
            "users.csv",
            "missing-file",
            "The manifest calls users.csv absent; without it nobody can be named.",
        ),
        (
            package(manifest=manifest("1.2", roles="bulk")),
            "roles.csv",
            "missing-file",
            "The manifest promises roles.csv, but the package does not hold it.",
        ),
        (
            package(users="sourcedId,role,familyName\n"),
            "users.csv",
            "missing-columns",
            "Needed: “givenName”. Found: “sourcedId”, “role”, “familyName”.",
        ),
        (
            package(classes="title,sourcedId,Title\n"),
            "classes.csv",
            "duplicate-column",
            "The header has “Title” twice.",
        ),
        (
            package(users=""),
            "users.csv",
            "empty-file",
            "The file has no header row.",
        ),
        (
            package({"users.csv": b"\x81\x8d\x8f\x90\x9d" * 9}),
            "users.csv",
            "unknown-encoding",
            "The file cannot be read as text: the bytes fit no encoding that is supported.",
        ),
    ],
)
def test_read_roster_refuses_a_whole_package(
    data: bytes, file: str, code: str, message: str
) -> None:
    roster = read(data)

    assert roster.problems == (RowProblem(file, None, None, code, message),)
    assert (roster.failed, roster.rows, roster.classes) == (True, (), ())


def test_read_roster_reads_packages_in_windows_1252() -> None:
    roster = read(package({"users.csv": USERS.replace("Hopper", "Höpper").encode("cp1252")}))

    assert [row.family_name for row in roster.rows][-1] == "Höpper"
    assert (roster.encoding, roster.encoding_guessed) == ("windows-1252, utf-8", True)
