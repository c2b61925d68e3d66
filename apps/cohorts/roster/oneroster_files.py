"""The files of a OneRoster package: manifest, declared modes, tables, usable rows."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from apps.cohorts.roster.package import Package
from apps.cohorts.roster.records import RosterMode, RosterSource, RowProblem, RowStatus
from apps.cohorts.roster.table import Table, UnreadableTableError, column_key, read_table
from apps.cohorts.roster.values import shown, single_line, status_of
from apps.core.encoding import DecodedText, UndecodableTextError, decode_text

MANIFEST = "manifest.csv"
_VERSIONS = {"1.1": RosterSource.ONEROSTER_1_1, "1.2": RosterSource.ONEROSTER_1_2}
_COLUMNS = {
    MANIFEST: ("propertyName", "value"),
    "users.csv": ("sourcedId", "status", "role", "givenName", "familyName", "email"),
    "roles.csv": ("userSourcedId", "status", "roleType", "role"),
    "classes.csv": ("sourcedId", "status", "title"),
    "enrollments.csv": ("status", "classSourcedId", "userSourcedId", "role"),
}
_OPTIONAL = ("status", "email", "roleType")


class UnreadableFileError(Exception):
    """A file that the roster cannot do without."""

    def __init__(self, file: str, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = RowProblem(file, None, None, code, message)


@dataclass(frozen=True, slots=True)
class FileLine:
    """A row of one of the files, its cells by the specification's column names."""

    file: str
    line: int
    cells: Mapping[str, str]
    status: RowStatus

    def problem(self, column: str | None, code: str, message: str) -> RowProblem:
        return RowProblem(self.file, self.line, column, code, message)


@dataclass(slots=True)
class PackageReading:
    """One package being read."""

    package: Package
    source: RosterSource
    modes: Mapping[str, RosterMode | None]
    encoding: str | None = None
    encodings: list[tuple[str, bool]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    blank_rows: int = 0
    refused: set[tuple[str, str]] = field(default_factory=set)

    def lines(self, file: str) -> Iterator[FileLine]:
        """Yield the usable rows of a file that the manifest declares; note the others.

        Raises UnreadableFileError.
        """
        mode = self.modes.get(file)
        if mode is None:
            if file in self.package.members:
                message = f"The manifest calls {file} absent, so it was not read."
                self.problems.append(RowProblem(file, None, None, "undeclared-file", message))
            return
        yield from self._read(file, mode=mode)

    def _read(self, file: str, *, mode: RosterMode) -> Iterator[FileLine]:
        columns = _COLUMNS[file]
        if file == "users.csv" and self.source == RosterSource.ONEROSTER_1_2:
            columns = tuple(name for name in columns if name != "role")
        decoded, table, places = open_table(
            self.package, file, columns=columns, encoding=self.encoding
        )
        self.encodings.append((decoded.encoding, decoded.guessed))
        self.blank_rows += table.blank_rows
        self.problems += [
            RowProblem(file, bad.line, None, bad.code, bad.message) for bad in table.bad_rows
        ]
        for row in table.rows:
            cells = {name: single_line(row.cells[place]) for name, place in places.items()}
            word = cells.get("status", "")
            status = status_of(word)
            line = FileLine(file, row.line, cells, status or RowStatus.ACTIVE)
            if status is None:
                message = f"{shown(word)} is neither active nor tobedeleted."
                self.refuse(line, "status", "unknown-status", message)
            elif not word and mode == RosterMode.DELTA:
                message = "In a delta file every row needs a status."
                self.refuse(line, "status", "missing-status", message)
            else:
                yield line

    def refuse(self, line: FileLine, column: str | None, code: str, message: str) -> None:
        """Note a problem, and that what the row describes is known but not usable."""
        self.problems.append(line.problem(column, code, message))
        if line.cells.get("sourcedId"):
            self.refused.add((line.file, line.cells["sourcedId"]))


def read_manifest(package: Package, *, file: str) -> dict[str, str]:
    """Return the manifest's values by lower-case property name."""
    if MANIFEST not in package.members:
        if "[Content_Types].xml" in package.names():
            raise UnreadableFileError(file, "spreadsheet", "This is a spreadsheet: save it as CSV.")
        held = ", ".join(package.names()[:20]) or "nothing"
        message = f"A OneRoster package has a manifest.csv. Found: {held}."
        raise UnreadableFileError(file, "missing-manifest", message)
    columns = _COLUMNS[MANIFEST]
    _, table, places = open_table(package, MANIFEST, columns=columns, encoding=None)
    return {
        row.cells[places["propertyName"]].strip().lower(): row.cells[places["value"]].strip()
        for row in table.rows
    }


def version_of(manifest: Mapping[str, str]) -> RosterSource:
    form = manifest.get("manifest.version", "")
    version = manifest.get("oneroster.version", "")
    if form != "1.0" or version not in _VERSIONS:
        raise UnreadableFileError(
            MANIFEST,
            "unsupported-version",
            f"Manifest version {shown(form)} and OneRoster version {shown(version)} were found; "
            "1.0 and either 1.1 or 1.2 can be read.",
        )
    return _VERSIONS[version]


def modes_of(
    manifest: Mapping[str, str], *, source: RosterSource, package: Package
) -> dict[str, RosterMode | None]:
    """Return the mode of each file that is read; None for those called absent."""
    modes: dict[str, RosterMode | None] = {}
    for file in ("users.csv", "roles.csv", "classes.csv", "enrollments.csv"):
        if file == "roles.csv" and source == RosterSource.ONEROSTER_1_1:
            continue
        word = manifest.get(f"file.{file.removesuffix('.csv')}", "").lower()
        if word not in ("bulk", "delta", "absent", ""):
            message = f"{shown(word)} is none of bulk, delta and absent."
            raise UnreadableFileError(MANIFEST, "unknown-mode", message)
        modes[file] = RosterMode(word) if word in ("bulk", "delta") else None
        if modes[file] is not None and file not in package.members:
            message = f"The manifest promises {file}, but the package does not hold it."
            raise UnreadableFileError(file, "missing-file", message)
    if modes["users.csv"] is None:
        message = "The manifest calls users.csv absent; without it nobody can be named."
        raise UnreadableFileError("users.csv", "missing-file", message)
    return modes


def open_table(
    package: Package, file: str, *, columns: Collection[str], encoding: str | None
) -> tuple[DecodedText, Table, dict[str, int]]:
    """Return a file's text, rows and the places of `columns`. Raises UnreadableFileError."""
    keys = {column_key(name): name for name in columns}
    try:
        decoded = decode_text(package.read(file), encoding=encoding)
        table = read_table(decoded.text, known=keys)
    except UndecodableTextError as error:
        message = f"The file cannot be read as text: {error}."
        raise UnreadableFileError(file, "unknown-encoding", message) from error
    except UnreadableTableError as error:
        raise UnreadableFileError(file, error.code, error.message) from error
    places: dict[str, int] = {}
    for place, name in enumerate(table.header):
        known = keys.get(column_key(name))
        if known is not None and places.setdefault(known, place) != place:
            message = f"The header has {shown(name)} twice."
            raise UnreadableFileError(file, "duplicate-column", message)
    missing = [name for name in columns if name not in places and name not in _OPTIONAL]
    if missing:
        found = ", ".join(shown(name) for name in table.header[:20])
        message = f"Needed: {', '.join(shown(name) for name in missing)}. Found: {found}."
        raise UnreadableFileError(file, "missing-columns", message)
    return decoded, table, places
