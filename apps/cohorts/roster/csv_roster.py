"""A roster as one CSV table whose columns may go by their usual names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from apps.cohorts.roster.records import (
    Roster,
    RosterClass,
    RosterRole,
    RosterRow,
    RosterSource,
    RowProblem,
    RowStatus,
)
from apps.cohorts.roster.table import Row, UnreadableTableError, column_key, read_table
from apps.cohorts.roster.values import (
    MAX_ID_CHARS,
    MAX_NAME_CHARS,
    Problem,
    email_problem,
    length_problem,
    locale_problem,
    role_of,
    shown,
    single_line,
    status_of,
    timezone_problem,
)
from apps.core.encoding import DecodedText

ALIASES: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "e mail", "mail", "email address", "e mail address", "mail address"),
    "display_name": ("name", "full name", "fullname", "display name", "displayname"),
    "given_name": ("first name", "firstname", "given name", "givenname", "forename"),
    "family_name": ("last name", "lastname", "family name", "familyname", "surname"),
    "legal_name": ("legal name", "legalname", "certificate name"),
    "external_id": (
        *("external id", "externalid", "student id", "studentid", "sourcedid", "sourced id"),
        *("id number", "idnumber", "learner id", "employee id", "personnel number"),
    ),
    "locale": ("locale", "language", "lang"),
    "timezone": ("timezone", "time zone", "tz"),
    "role": ("role",),
    "class_id": ("class id", "classid", "class sourcedid", "classsourcedid", "group id"),
    "class_title": ("class", "class title", "class name", "group", "group name", "group title"),
    "status": ("status",),
}
_FIELDS = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
_NAME_FIELDS = ("display_name", "given_name", "family_name", "legal_name", "class_title")
_ID_FIELDS = ("external_id", "class_id")


def read_csv_roster(decoded: DecodedText, *, file: str) -> Roster:
    """Return the roster in a delimited text; problems are in it, nothing is raised."""
    try:
        table = read_table(decoded.text, known=_FIELDS)
        columns = _columns(table.header)
    except UnreadableTableError as error:
        return Roster(
            source=RosterSource.CSV,
            failed=True,
            encoding=decoded.encoding,
            encoding_guessed=decoded.guessed,
            problems=(RowProblem(file, None, None, error.code, error.message),),
        )
    reading = _Reading(file=file, header=table.header, columns=columns)
    for bad in table.bad_rows:
        reading.problems.append(RowProblem(file, bad.line, None, bad.code, bad.message))
    for row in table.rows:
        reading.read(row)
    return Roster(
        source=RosterSource.CSV,
        encoding=decoded.encoding,
        encoding_guessed=decoded.guessed,
        rows=tuple(reading.rows),
        problems=tuple(sorted(reading.problems, key=lambda problem: problem.line or 0)),
        classes=tuple(reading.classes.values()),
        blank_rows=table.blank_rows,
        ignored_columns=tuple(
            name
            for index, name in enumerate(table.header)
            if name and index not in columns.values()
        ),
    )


def _columns(header: tuple[str, ...]) -> dict[str, int]:
    """Return where each known field stands. Raises UnreadableTableError."""
    columns: dict[str, int] = {}
    for index, name in enumerate(header):
        known = _FIELDS.get(column_key(name))
        if known is None:
            continue
        if known in columns:
            raise UnreadableTableError(
                "duplicate-column",
                f"{shown(header[columns[known]])} and {shown(name)} both mean {known}.",
            )
        columns[known] = index
    missing = []
    if "display_name" not in columns and not {"given_name", "family_name"} <= columns.keys():
        missing.append("“name”, or “first name” and “last name”")
    if not {"email", "external_id"} & columns.keys():
        missing.append("“email” or “external_id”")
    if missing:
        found = ", ".join(shown(name) for name in header[:20])
        raise UnreadableTableError(
            "missing-columns", f"Needed: {'; and '.join(missing)}. Found: {found}."
        )
    return columns


@dataclass(slots=True)
class _Reading:
    """The rows read so far, and who was in them."""

    file: str
    header: tuple[str, ...]
    columns: dict[str, int]
    rows: list[RosterRow] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    classes: dict[str, RosterClass] = field(default_factory=dict)
    seen: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def read(self, row: Row) -> None:
        """Add the row, or a problem for everything that is wrong with it."""
        cells = {name: single_line(row.cells[index]) for name, index in self.columns.items()}
        given, family = cells.get("given_name", ""), cells.get("family_name", "")
        display = cells.get("display_name", "") or f"{given} {family}".strip()
        group = _group(cells)
        role = role_of(cells.get("role", "") or RosterRole.STUDENT)
        status = status_of(cells.get("status", ""))
        found = [
            *_row_problems(cells, display=display, role=role, status=status),
            *_cell_problems(cells),
            *self._repetitions(cells, line=row.line, class_id=group.external_id),
        ]
        if found or role is None or status is None:
            self.problems.extend(
                RowProblem(self.file, row.line, self._column(name), *problem)
                for name, problem in found
            )
            return
        if group.external_id:
            self.classes.setdefault(group.external_id, group)
        self.rows.append(
            RosterRow(
                file=self.file,
                line=row.line,
                display_name=display,
                given_name=given,
                family_name=family,
                legal_name=cells.get("legal_name", ""),
                email=cells.get("email", ""),
                external_id=cells.get("external_id", ""),
                locale=cells.get("locale", ""),
                timezone=cells.get("timezone", ""),
                role=role,
                class_id=group.external_id,
                class_title=group.title,
                status=status,
            )
        )

    def _column(self, name: str | None) -> str | None:
        return self.header[self.columns[name]] if name in self.columns else None

    def _repetitions(
        self, cells: Mapping[str, str], *, line: int, class_id: str
    ) -> Iterator[tuple[str | None, Problem]]:
        for name in ("email", "external_id"):
            value = cells.get(name, "")
            # One mailbox whatever its case; identifiers are compared as they are.
            key = name, value.lower() if name == "email" else value, class_id
            first = self.seen.setdefault(key, line) if value else line
            if first != line:
                what = "e-mail address" if name == "email" else "identifier"
                code = "duplicate-email" if name == "email" else "duplicate-external-id"
                yield name, (code, f"The {what} {shown(value)} is already in line {first}.")


def _group(cells: Mapping[str, str]) -> RosterClass:
    """Return the row's class; of identifier and title each stands in for the other."""
    identifier, title = cells.get("class_id", ""), cells.get("class_title", "")
    return RosterClass(identifier or title, title or identifier)


def _cell_problems(cells: Mapping[str, str]) -> Iterator[tuple[str | None, Problem]]:
    checks = (
        ("email", email_problem),
        ("locale", locale_problem),
        ("timezone", timezone_problem),
    )
    for name, check in checks:
        value = cells.get(name)
        problem = check(value) if value else None
        if problem is not None:
            yield name, problem
    for names, limit in ((_NAME_FIELDS, MAX_NAME_CHARS), (_ID_FIELDS, MAX_ID_CHARS)):
        for name in names:
            problem = length_problem(cells.get(name, ""), limit=limit)
            if problem is not None:
                yield name, problem


def _row_problems(
    cells: Mapping[str, str],
    *,
    display: str,
    role: RosterRole | None,
    status: RowStatus | None,
) -> Iterator[tuple[str | None, Problem]]:
    if not display:
        yield "display_name", ("missing-name", "The row names nobody.")
    elif len(display) > MAX_NAME_CHARS and not cells.get("display_name"):
        yield "given_name", ("too-long", f"{shown(display)} is longer than {MAX_NAME_CHARS}.")
    if not cells.get("email") and not cells.get("external_id"):
        yield "email", ("missing-identifier", "The row has neither an e-mail nor an identifier.")
    if role is None:
        yield "role", ("unknown-role", f"{shown(cells['role'])} is no role known here.")
    if status is None:
        message = f"{shown(cells['status'])} is neither active nor tobedeleted."
        yield "status", ("unknown-status", message)
