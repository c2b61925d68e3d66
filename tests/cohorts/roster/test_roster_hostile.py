"""Whatever the bytes, the reader answers with a roster, in bounded time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.cohorts.roster import read_roster
from apps.cohorts.roster.reader import MAX_BYTES
from apps.cohorts.roster.records import Roster, RosterSource, RowProblem
from tests.cohorts.roster.packages import package, zipped
from tests.pace import allowed

SECONDS = 2.0

SNIPPETS = (
    *",;\t|\"'\n\r\0 @.-",
    *("name", "email", "first name", "last name", "external_id", "role", "status", "class"),
    *("sep=", "a@example.org", "A@EXAMPLE.ORG", "Größe", "\ufeff", "\u2028", "tobedeleted"),
)
csv_like = st.lists(st.sampled_from(SNIPPETS), max_size=40).map("".join)
MEMBERS = ("manifest.csv", "users.csv", "classes.csv", "enrollments.csv")


@given(st.binary(max_size=400), st.sampled_from(["r.csv", "r.zip", ""]))
def test_read_roster_answers_any_bytes(data: bytes, filename: str) -> None:
    assert_well_formed(read_roster(data, filename))


@given(csv_like, st.sampled_from(["", "name,email\n", "first name;last name;student id;x\n"]))
def test_read_roster_answers_anything_like_csv(text: str, header: str) -> None:
    assert_well_formed(read_roster((header + text).encode(), "r.csv"))


@given(st.dictionaries(st.sampled_from(MEMBERS), st.binary(max_size=200) | csv_like))
def test_read_roster_answers_any_package(members: dict[str, bytes | str]) -> None:
    assert_well_formed(read_roster(package(members), "r.zip"))


@given(st.data())
def test_read_roster_answers_any_damaged_package(data: st.DataObject) -> None:
    damaged = bytearray(package())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))

    assert_well_formed(read_roster(bytes(damaged[:end]), "r.zip"))


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "x", "y"])),
        max_size=12,
    )
)
def test_read_roster_keeps_the_first_of_each_mailbox_and_class(
    people: list[tuple[str, str]],
) -> None:
    rows = "".join(f"N,{name.upper()}@example.org,{group}\n" for name, group in people)

    roster = read_roster(f"name,email,class\n{rows}".encode(), "r.csv")

    first = {person: line for line, person in reversed(list(enumerate(people, start=2)))}
    assert [row.line for row in roster.rows] == sorted(first.values())
    assert [problem.line for problem in roster.problems] == [
        line for line, person in enumerate(people, start=2) if first[person] != line
    ]


@pytest.mark.parametrize("unit", ["\n", " ", "a", ",", '"', '""', ";\n", "\r", "\0", "é", "a@"])
@pytest.mark.parametrize("head", ["", 'name,email\n"'])
def test_read_roster_is_quick_on_twenty_megabytes(head: str, unit: str) -> None:
    data = (head + unit * ((MAX_BYTES - len(head)) // len(unit.encode()))).encode()

    start = time.process_time()
    assert_well_formed(read_roster(data, "r.csv"))

    assert time.process_time() - start < allowed(SECONDS)


def test_read_roster_unpacks_no_bomb() -> None:
    data = zipped({"manifest.csv": b"\0" * 60_000_000})

    start = time.process_time()
    roster = read_roster(data, "r.zip")

    assert time.process_time() - start < allowed(0.1)
    assert [problem.code for problem in roster.problems] == ["member-too-large"]


@pytest.mark.parametrize(
    ("data", "filename", "source", "code"),
    [
        (b"a" * (MAX_BYTES + 1), "r.csv", None, "file-too-large"),
        (b"no archive", "r.ZIP", None, "damaged-package"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "r.xls", None, "spreadsheet"),
        (b"\x81\x8d\x8f\x90\x9d" * 9, "r.csv", RosterSource.CSV, "unknown-encoding"),
        (b"PK\x05\x06", "r.csv", None, "damaged-package"),
    ],
)
def test_read_roster_refuses_what_is_no_roster(
    data: bytes, filename: str, source: RosterSource | None, code: str
) -> None:
    roster = read_roster(data, filename)

    (problem,) = roster.problems
    assert roster == Roster(
        source=source,
        failed=True,
        problems=(RowProblem(filename, None, None, code, problem.message),),
    )


def test_read_roster_reads_the_encoding_it_is_told() -> None:
    data = "name,email\nŁukasz,l@example.org\n".encode("cp1250")

    roster = read_roster(data, "r.csv", encoding="windows-1250")

    assert [row.display_name for row in roster.rows] == ["Łukasz"]
    assert (roster.encoding, roster.encoding_guessed) == ("windows-1250", False)


def assert_well_formed(roster: Roster) -> None:
    assert not (roster.failed and (roster.rows or roster.classes))
    assert not roster.failed or any(problem.line is None for problem in roster.problems)
    assert all(problem.message.encode() for problem in roster.problems)
    refused = {(problem.file, problem.line) for problem in roster.problems}
    for row in roster.rows:
        assert row.display_name
        assert row.email or row.external_id
        assert "\0" not in repr(row)
        assert str(row).encode()
        assert (row.file, row.line) not in refused
    known = {group.external_id for group in roster.classes}
    assert all(row.class_id in known for row in roster.rows if row.class_id)
