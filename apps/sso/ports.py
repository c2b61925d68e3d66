"""What single sign-on asks of the world outside: the TXT records of a name."""

from apps.core.ports import Port

txt_records: Port[[str], list[str]] = Port("txt_records")


class NoAnswer(Exception):
    """The name servers could not be asked, which says nothing about the record."""
