"""Tables as CSV that a spreadsheet opens without running anything that is in it."""

from __future__ import annotations

import csv
from typing import Any, Final

from django.http import HttpResponse

from apps.reporting.charts import Table

RUNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would take for a formula."""


def csv_response(name: str, table: Table) -> HttpResponse:
    """Return the table as a file; UTF-8 with a mark, by which spreadsheets recognise it."""
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(map(harmless, table.header))
    writer.writerows(map(harmless, row) for row in table.rows)
    return response


def harmless(cell: Any) -> Any:
    """Return the cell, a text that looks like a formula behind an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RUNS) else cell
