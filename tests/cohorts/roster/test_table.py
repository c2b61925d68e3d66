import pytest

from apps.cohorts.roster.table import BadRow, Row, Table, column_key, read_table

KNOWN = {"name", "e mail"}


@pytest.mark.parametrize("name", ["e-mail", "E_Mail", " e. mail ", "E  MAIL"])
def test_column_key_ignores_case_and_punctuation(name: str) -> None:
    assert column_key(name) == "e mail"


def test_read_table_prefers_the_delimiter_that_yields_known_columns() -> None:
    table = read_table("name;e-mail;a,b,c,d,e\nx;y;1,2,3,4,5\n", known=KNOWN)

    assert table == Table(
        header=("name", "e-mail", "a,b,c,d,e"),
        rows=(Row(2, ["x", "y", "1,2,3,4,5"]),),
        bad_rows=(),
        blank_rows=0,
    )


def test_read_table_drops_nameless_columns_at_the_end() -> None:
    table = read_table("name,e-mail,,\nx,y,,\nx,y\nx,y,,z\n", known=KNOWN)

    assert table == Table(
        header=("name", "e-mail"),
        rows=(Row(2, ["x", "y"]), Row(3, ["x", "y"])),
        bad_rows=(BadRow(4, "too-many-cells", "The row has 4 cells, the header 2."),),
        blank_rows=0,
    )


def test_read_table_goes_on_behind_an_unreadable_row() -> None:
    table = read_table('name,e-mail\n"a"b,c\nx,y\n"never closed\n\n', known=KNOWN)

    assert table.rows == (Row(3, ["x", "y"]),)
    assert table.bad_rows == (
        BadRow(2, "unreadable-row", "The quotes in line 2 do not pair up, or a cell is endless."),
        BadRow(
            4, "unreadable-row", "The quotes in line 4 to 5 do not pair up, or a cell is endless."
        ),
    )


def test_read_table_skips_lines_of_delimiters_before_the_header() -> None:
    table = read_table("\r\n;;\r\nname;e-mail\r\nx;y\r\n", known=KNOWN)

    assert (table.header, table.rows) == (("name", "e-mail"), (Row(4, ["x", "y"]),))
