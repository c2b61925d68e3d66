"""What a roster says, before anybody is looked up or written."""

from dataclasses import dataclass
from enum import StrEnum


class RosterSource(StrEnum):
    CSV = "csv"
    ONEROSTER_1_1 = "oneroster-1.1"
    ONEROSTER_1_2 = "oneroster-1.2"


class RosterMode(StrEnum):
    """Whether a OneRoster package is the whole truth (bulk) or only what changed (delta)."""

    BULK = "bulk"
    DELTA = "delta"


class RowStatus(StrEnum):
    ACTIVE = "active"
    TO_BE_DELETED = "tobedeleted"


class RosterRole(StrEnum):
    """OneRoster's roles, those of 1.1 and 1.2 together."""

    STUDENT = "student"
    TEACHER = "teacher"
    AIDE = "aide"
    PROCTOR = "proctor"
    COUNSELOR = "counselor"
    PRINCIPAL = "principal"
    ADMINISTRATOR = "administrator"
    SITE_ADMINISTRATOR = "siteAdministrator"
    DISTRICT_ADMINISTRATOR = "districtAdministrator"
    SYSTEM_ADMINISTRATOR = "systemAdministrator"
    GUARDIAN = "guardian"
    PARENT = "parent"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person, in one class if the roster has classes; what is not said is empty.

    At least one of `email` and `external_id` is there, and always a display name. A row is
    to be deleted if it, its person or its class is.
    """

    file: str
    line: int
    display_name: str
    given_name: str = ""
    family_name: str = ""
    legal_name: str = ""
    email: str = ""
    external_id: str = ""
    locale: str = ""
    timezone: str = ""
    role: RosterRole = RosterRole.STUDENT
    class_id: str = ""
    class_title: str = ""
    status: RowStatus = RowStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class RosterClass:
    """A class or group that rows of the roster may belong to."""

    external_id: str
    title: str
    status: RowStatus = RowStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was refused, or, without a line, what is wrong with a whole file."""

    file: str
    line: int | None
    column: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Roster:
    """The rows that can be used, and a problem for each that cannot, in the file's order.

    `source` and `encoding` are None if reading did not get that far. `failed` says that
    nothing of the roster can be used; then a problem without a line tells why.
    `encoding_guessed` says that the bytes do not prove the encoding, so accents deserve a
    look. `ignored_columns` of a CSV file carry names nobody here knows.
    """

    source: RosterSource | None
    failed: bool = False
    encoding: str | None = None
    encoding_guessed: bool = False
    mode: RosterMode | None = None
    rows: tuple[RosterRow, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    classes: tuple[RosterClass, ...] = ()
    blank_rows: int = 0
    ignored_columns: tuple[str, ...] = ()

    def rows_of(self, class_id: str) -> tuple[RosterRow, ...]:
        """Return the rows of one of `classes`."""
        return tuple(row for row in self.rows if row.class_id == class_id)
