"""A delimited text as a header and rows of equal width."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

MAX_ROWS = 100_000
MAX_LINES = 500_000
MAX_LINE_CHARS = 1_000_000
MAX_COLUMNS = 200
MAX_HEADER_CHARS = 20_000

_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LINE_END = re.compile(r"[\r\n]")
_WORD_BREAK = re.compile(r"[\s_.-]+")


class UnreadableTableError(Exception):
    """Nothing of the table can be used."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, as many as the header has; `line` is where it begins, from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be told apart into the header's columns."""

    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    bad_rows: tuple[BadRow, ...]
    blank_rows: int


def column_key(name: str) -> str:
    """Return the name of a column without case, punctuation and spare white space."""
    return _WORD_BREAK.sub(" ", name).strip().casefold()


def read_table(text: str, *, known: Collection[str]) -> Table:
    """Return the table in `text`; the delimiter is the one that yields most `known` columns.

    `known` holds keys as `column_key` returns them. Raises UnreadableTableError.
    """
    delimiter, header_line = _delimiter_and_header_line(text, known=known)
    header: tuple[str, ...] | None = None
    rows: list[Row] = []
    bad_rows: list[BadRow] = []
    blank_rows = 0
    has_control = _CONTROL.search(text) is not None
    for row in _rows(text, delimiter=delimiter):
        if isinstance(row, Row) and not any(cell.strip() for cell in row.cells):
            blank_rows += header is not None
        elif row.line < header_line:
            continue
        elif header is None:
            header = _header(row)
        else:
            fitted = _fit(row, width=len(header), has_control=has_control)
            if isinstance(fitted, Row):
                rows.append(fitted)
            else:
                bad_rows.append(fitted)
            if len(rows) + len(bad_rows) > MAX_ROWS:
                raise UnreadableTableError(
                    "too-many-rows", f"The file has more than {MAX_ROWS:,} rows."
                )
    if header is None:
        raise UnreadableTableError("empty-file", "The file has no header row.")
    return Table(header, tuple(rows), tuple(bad_rows), blank_rows)


def _delimiter_and_header_line(text: str, *, known: Collection[str]) -> tuple[str, int]:
    start, line = _first_filled_line(text, 0)
    separator = _SEPARATOR_LINE.fullmatch(line.strip())
    if separator is not None:
        start, _ = _first_filled_line(text, start + len(line))
        return separator.group(1), _line_number(text, start)
    best = max(_DELIMITERS, key=lambda delimiter: _recognised(line, delimiter, known=known))
    return best, _line_number(text, start)


def _first_filled_line(text: str, position: int) -> tuple[int, str]:
    rest = text[position:]
    filled = len(text) - len(rest.lstrip(' \t\r\n,;|"'))
    start = max(text.rfind("\n", 0, filled), text.rfind("\r", 0, filled)) + 1
    return start, _LINE_END.split(text[start : start + MAX_HEADER_CHARS], maxsplit=1)[0]


def _line_number(text: str, position: int) -> int:
    before = text[:position].replace("\r\n", "\n")
    return 1 + before.count("\n") + before.count("\r")


def _recognised(line: str, delimiter: str, *, known: Collection[str]) -> tuple[int, int]:
    names = line.split(delimiter, MAX_COLUMNS)
    return sum(column_key(name.strip('" ')) in known for name in names), len(names)


def _rows(text: str, *, delimiter: str) -> Iterator[Row | BadRow]:
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield Row(line, next(reader))
        except StopIteration:
            return
        except csv.Error:
            until = f" to {reader.line_num}" if reader.line_num > line else ""
            yield BadRow(
                line,
                "unreadable-row",
                f"The quotes in line {line}{until} do not pair up, or a cell is endless.",
            )


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if number > MAX_LINES:
            message = f"The file has more than {MAX_LINES:,} lines."
            raise UnreadableTableError("too-many-lines", message)
        if len(line) > MAX_LINE_CHARS:
            message = f"Line {number} is longer than {MAX_LINE_CHARS:,} characters."
            raise UnreadableTableError("line-too-long", message)
        yield line


def _header(row: Row | BadRow) -> tuple[str, ...]:
    if isinstance(row, BadRow):
        raise UnreadableTableError("unreadable-header", row.message)
    names = [name.strip() for name in row.cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise UnreadableTableError(
            "too-many-columns", f"The header has more than {MAX_COLUMNS} columns."
        )
    return tuple(names)


def _fit(row: Row | BadRow, *, width: int, has_control: bool) -> Row | BadRow:
    if isinstance(row, BadRow):
        return row
    if has_control and any(_CONTROL.search(cell) for cell in row.cells):
        return BadRow(row.line, "control-character", "The row contains a control character.")
    if len(row.cells) == width:
        return row
    message = f"The row has {len(row.cells)} cells, the header {width}."
    if len(row.cells) < width:
        return BadRow(row.line, "too-few-cells", message)
    if any(cell.strip() for cell in row.cells[width:]):
        return BadRow(row.line, "too-many-cells", message)
    return Row(row.line, row.cells[:width])
