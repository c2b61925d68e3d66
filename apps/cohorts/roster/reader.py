"""Which kind of roster a file is, and its reading."""

from collections.abc import Callable

from apps.cohorts.roster.csv_roster import read_csv_roster
from apps.cohorts.roster.oneroster import check_oneroster, read_oneroster
from apps.cohorts.roster.records import Roster, RosterSource, RowProblem
from apps.core.encoding import DecodedText, UndecodableTextError, decode_text

MAX_BYTES = 20 * 1024 * 1024

_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_OFFICE_MARK = b"\xd0\xcf\x11\xe0"


_HEAD_CHARS = 50_000


def read_roster(data: bytes, filename: str, *, encoding: str | None = None) -> Roster:
    """Return the roster in a CSV file or OneRoster package. Never raises.

    What the file is shows from its bytes; `filename` appears in problems. The encoding is
    detected unless one of `encoding.ENCODINGS` is given.
    """
    return _read(data, filename, encoding, csv=read_csv_roster, package=read_oneroster)


def roster_fault(data: bytes, filename: str, *, encoding: str | None = None) -> RowProblem | None:
    """Return why nothing of the file can be used, as far as its beginning tells, or None.

    Quick for a file of any size: kind, encoding, header and manifest, but none of the rows.
    """
    roster = _read(data, filename, encoding, csv=_read_head, package=check_oneroster)
    return roster.problems[0] if roster.failed else None


def _read_head(decoded: DecodedText, *, file: str) -> Roster:
    """Read the first lines of a table, enough for its header."""
    begin = len(decoded.text) - len(decoded.text.lstrip())
    head = decoded.text[begin : begin + _HEAD_CHARS]
    return read_csv_roster(DecodedText(head, decoded.encoding, decoded.guessed), file=file)


def _read(
    data: bytes,
    filename: str,
    encoding: str | None,
    *,
    csv: Callable[..., Roster],
    package: Callable[..., Roster],
) -> Roster:
    if len(data) > MAX_BYTES:
        megabytes = MAX_BYTES // (1024 * 1024)
        return _failed(filename, "file-too-large", f"The file is larger than {megabytes} MB.")
    if data.startswith(_ZIP_MARKS):
        return package(data, file=filename, encoding=encoding)
    if filename.lower().endswith(".zip"):
        return _failed(filename, "damaged-package", "The file is called .zip but is no archive.")
    if data.startswith(_OLD_OFFICE_MARK):
        return _failed(filename, "spreadsheet", "This is a spreadsheet: save it as CSV.")
    try:
        decoded = decode_text(data, encoding=encoding)
    except UndecodableTextError as error:
        message = f"The file cannot be read as text: {error}."
        return _failed(filename, "unknown-encoding", message, source=RosterSource.CSV)
    return csv(decoded, file=filename)


def _failed(file: str, code: str, message: str, *, source: RosterSource | None = None) -> Roster:
    return Roster(
        source=source, failed=True, problems=(RowProblem(file, None, None, code, message),)
    )
