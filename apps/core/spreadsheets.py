"""Tables for spreadsheets: CSV that opens rightly, and in which nothing is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from decimal import Decimal

Cell = str | int | Decimal | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(rows: Iterable[Iterable[Cell]]) -> bytes:
    """Return the rows as CSV by RFC 4180: UTF-8 with a mark, so that spreadsheets read accents.

    A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV
    injection); numbers stay numbers.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}"
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell
