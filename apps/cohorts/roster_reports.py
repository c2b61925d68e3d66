"""The report of an import as a file for spreadsheets."""

from __future__ import annotations

import csv
import io

from apps.cohorts.models import RosterImport

COLUMNS = ("file", "line", "name", "outcome", "did", "state", "code", "message", "column")
CHUNK = 5_000
# A cell that begins so is a formula to a spreadsheet, and the names are whoever's.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def report_csv(asked: RosterImport) -> str:
    """Return what became of each row, in the file's order, as CSV (RFC 4180) with a header.

    What a spreadsheet would take for a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    rows = asked.rows.order_by("position").values_list(*COLUMNS)
    for file, line, name, outcome, did, *rest in rows.iterator(chunk_size=CHUNK):
        cells = [file, line or "", name, outcome, " ".join(did), *rest]
        writer.writerow([_harmless(str(cell)) for cell in cells])
    return text.getvalue()


def report_name(asked: RosterImport) -> str:
    """Return the file name for downloading: of ASCII letters, and without a path."""
    kept = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in asked.filename
    )
    return f"report-{kept.strip('-')[:60] or 'roster'}.csv"


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
