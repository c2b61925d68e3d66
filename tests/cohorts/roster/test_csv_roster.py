import time

import pytest

from apps.cohorts.roster import read_roster
from apps.cohorts.roster.csv_roster import ALIASES
from apps.cohorts.roster.records import (
    Roster,
    RosterClass,
    RosterRole,
    RosterRow,
    RosterSource,
    RowProblem,
    RowStatus,
)
from apps.cohorts.roster.table import MAX_COLUMNS, MAX_LINE_CHARS, MAX_LINES, MAX_ROWS
from tests.pace import allowed

FILE = "roster.csv"


def read(text: str) -> Roster:
    return read_roster(text.encode(), FILE)


def problems_of(text: str) -> list[tuple[int | None, str | None, str]]:
    return [(problem.line, problem.column, problem.code) for problem in read(text).problems]


def row(line: int, name: str, email: str) -> RosterRow:
    return RosterRow(file=FILE, line=line, display_name=name, email=email)


def test_read_roster_reads_every_column() -> None:
    text = (
        "Student ID,First Name,Last_Name,Legal name,E-MAIL,Locale,Time Zone,Role,Group ID,Group,"
        "Status,Shoe size\r\n"
        'S1,Ada,"King,  Lovelace",Augusta Ada King,ada@example.org,en-GB,Europe/London,Teacher,'
        "g1,Ladders,active,38\r\n"
        "S2,Alan,Turing,,,,,,g2,,ToBeDeleted,\r\n"
    )

    assert read(text) == Roster(
        source=RosterSource.CSV,
        encoding="utf-8",
        rows=(
            RosterRow(
                file=FILE,
                line=2,
                display_name="Ada King, Lovelace",
                given_name="Ada",
                family_name="King, Lovelace",
                legal_name="Augusta Ada King",
                email="ada@example.org",
                external_id="S1",
                locale="en-GB",
                timezone="Europe/London",
                role=RosterRole.TEACHER,
                class_id="g1",
                class_title="Ladders",
            ),
            RosterRow(
                file=FILE,
                line=3,
                display_name="Alan Turing",
                given_name="Alan",
                family_name="Turing",
                external_id="S2",
                class_id="g2",
                class_title="g2",
                status=RowStatus.TO_BE_DELETED,
            ),
        ),
        classes=(RosterClass("g1", "Ladders"), RosterClass("g2", "g2")),
        ignored_columns=("Shoe size",),
    )


@pytest.mark.parametrize("alias", [alias for names in ALIASES.values() for alias in names])
def test_read_roster_knows_every_alias_in_any_case(alias: str) -> None:
    needed = [name for name in ("name", "email") if alias not in ALIASES[_field(name)]]
    header = ",".join([*needed, alias.upper().replace(" ", "_")])

    roster = read(f"{header}\n")

    assert roster.ignored_columns == ()
    assert [problem.code for problem in roster.problems] in ([], ["missing-columns"])


def _field(alias: str) -> str:
    return next(field for field, aliases in ALIASES.items() if alias in aliases)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_read_roster_reads_any_dialect(delimiter: str, newline: str, encoding: str) -> None:
    cells = [["name", "e-mail"], ["Jörg Müß", "j@example.org"], ["Zoë", "z@example.org"]]
    text = newline.join(delimiter.join(row) for row in cells)

    roster = read_roster(text.encode(encoding), FILE)

    assert roster.rows == (row(2, "Jörg Müß", "j@example.org"), row(3, "Zoë", "z@example.org"))
    assert roster.problems == ()
    assert roster.encoding_guessed is (encoding == "cp1252")


def test_read_roster_obeys_excels_separator_line() -> None:
    roster = read("sep=^\r\nname^email\r\nAda^a@example.org\r\n")

    assert roster.rows == (row(3, "Ada", "a@example.org"),)


def test_read_roster_counts_blank_rows_and_lines_inside_quotes() -> None:
    roster = read('\n\nname,email\n,\n"Ada\nLovelace",a@example.org\n  ,\t\nAlan,b@example.org\n')

    assert roster.rows == (
        row(5, "Ada Lovelace", "a@example.org"),
        row(8, "Alan", "b@example.org"),
    )
    assert roster.blank_rows == 2


def test_read_roster_refuses_later_rows_of_the_same_mailbox() -> None:
    roster = read("name,mail\nAda,a@example.org\nAlan,b@example.org\nAda K.,A@Example.org\n")

    assert [row.display_name for row in roster.rows] == ["Ada", "Alan"]
    assert roster.problems == (
        RowProblem(
            FILE,
            4,
            "mail",
            "duplicate-email",
            "The e-mail address “A@Example.org” is already in line 2.",
        ),
    )


def test_read_roster_lets_a_person_be_in_two_classes() -> None:
    roster = read(
        "name,email,class\nAda,a@example.org,x\nAda,a@example.org,y\nAda,a@example.org,x\n"
    )

    assert [row.line for row in roster.rows_of("x")] == [2]
    assert [row.line for row in roster.rows_of("y")] == [3]
    assert [problem.line for problem in roster.problems] == [4]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("Ada,not-an-address,", [(2, "email", "invalid-email")]),
        ("Ada,,", [(2, "email", "missing-identifier")]),
        (",a@example.org,", [(2, "name", "missing-name")]),
        ("Ada,a@example.org", [(2, None, "too-few-cells")]),
        ("Ada,a@example.org,,x", [(2, None, "too-many-cells")]),
        ("Ada,a@example.org,,,", []),
        ("A\0da,a@example.org,", [(2, None, "control-character")]),
        ("A,a@example.org,1\nB,b@example.org,1", [(3, "external_id", "duplicate-external-id")]),
        ("A" * 201 + ",a@example.org,", [(2, "name", "too-long")]),
        ("A,a@example.org," + "1" * 201, [(2, "external_id", "too-long")]),
        ('"A"da,a@example.org,1\nB,b@example.org,2', [(2, None, "unreadable-row")]),
        ('A,a@example.org,1\n"B,b@example.org,2\nC,c,3', [(3, None, "unreadable-row")]),
        (
            ",x,\nAda",
            [
                (2, "name", "missing-name"),
                (2, "email", "invalid-email"),
                (3, None, "too-few-cells"),
            ],
        ),
    ],
)
def test_read_roster_refuses_a_row(
    rows: str, expected: list[tuple[int | None, str | None, str]]
) -> None:
    assert problems_of("name,email,external_id\n" + rows) == expected


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("locale", "Deutsch (Schweiz)", "invalid-locale"),
        ("timezone", "Mars/Olympus", "invalid-timezone"),
        ("role", "boss", "unknown-role"),
        ("status", "enrolled", "unknown-status"),
        ("legal_name", "A" * 201, "too-long"),
        ("class_id", "c" * 201, "too-long"),
    ],
)
def test_read_roster_refuses_an_unknown_value(column: str, cell: str, code: str) -> None:
    found = problems_of(f"name,email,{column}\nAda,a@example.org,{cell}\nB,b@example.org,\n")

    assert found == [(2, column, code)]


def test_read_roster_refuses_names_that_are_too_long_together() -> None:
    found = problems_of(f"first name,last name,mail\n{'A' * 150},{'B' * 150},a@example.org\n")

    assert found == [(2, "first name", "too-long")]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            "vorname,adresse\nAda,a@example.org\n",
            "missing-columns",
            "Needed: “name”, or “first name” and “last name”; and “email” or “external_id”. "
            "Found: “vorname”, “adresse”.",
        ),
        (
            "first name,email\nAda,a@example.org\n",
            "missing-columns",
            "Needed: “name”, or “first name” and “last name”. Found: “first name”, “email”.",
        ),
        (
            "Ada Lovelace\n",
            "missing-columns",
            "Needed: “name”, or “first name” and “last name”; and “email” or “external_id”. "
            "Found: “Ada Lovelace”.",
        ),
        (
            "name,mail,e-mail\n",
            "duplicate-column",
            "“mail” and “e-mail” both mean email.",
        ),
        ("", "empty-file", "The file has no header row."),
        (" \n\n,,\n", "empty-file", "The file has no header row."),
        (
            '"name\n',
            "unreadable-header",
            "The quotes in line 1 do not pair up, or a cell is endless.",
        ),
        (
            "," * MAX_COLUMNS + "name",
            "too-many-columns",
            "The header has more than 200 columns.",
        ),
        (
            "name,email\n" + "x,\n" * (MAX_ROWS + 1),
            "too-many-rows",
            "The file has more than 100,000 rows.",
        ),
        (
            "name,email\n" + "x" * MAX_LINE_CHARS + "y",
            "line-too-long",
            "Line 2 is longer than 1,000,000 characters.",
        ),
        (
            "name,email\n" + "\n" * MAX_LINES,
            "too-many-lines",
            "The file has more than 500,000 lines.",
        ),
    ],
)
def test_read_roster_refuses_a_whole_file(text: str, code: str, message: str) -> None:
    assert read(text) == Roster(
        source=RosterSource.CSV,
        failed=True,
        encoding="utf-8",
        problems=(RowProblem(FILE, None, None, code, message),),
    )


def test_read_roster_reads_fifty_thousand_rows_in_two_seconds() -> None:
    rows = "".join(
        f"Jörg Müller {number},joerg.{number}@example.org,S{number},de-CH,Europe/Zurich\n"
        for number in range(50_000)
    )
    data = ("name,email,student id,locale,timezone\n" + rows).encode("cp1252")

    start = time.process_time()
    roster = read_roster(data, FILE)
    spent = time.process_time() - start

    assert (len(roster.rows), roster.problems, roster.encoding) == (50_000, (), "windows-1252")
    assert spent < allowed(2)
