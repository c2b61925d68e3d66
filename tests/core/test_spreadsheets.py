"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.spreadsheets import csv_bytes


def test_csv_bytes_keeps_numbers_accents_and_quotes() -> None:
    data = csv_bytes([["Name", "%"], ["Zoë “Z”, jr.", Decimal("80.00")], ['say "x"', None]])

    assert data == '\ufeffName,%\r\n"Zoë “Z”, jr.",80\r\n"say ""x""",\r\n'.encode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_bytes_makes_no_formula_of_a_text(start: str) -> None:
    data = csv_bytes([[f"{start}1+1", Decimal(-1), -1]])

    [row] = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert row == [f"'{start}1+1", "-1", "-1"]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2)))
def test_csv_bytes_is_read_back_as_it_was_but_for_the_apostrophe(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(csv_bytes(rows).decode("utf-8-sig"), newline="")))

    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
