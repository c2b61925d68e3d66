"""What may stand in a cell: e-mail addresses, locales, time zones, roles, statuses.

Each `…_problem` returns None for a good value, else a code and a sentence.
"""

import re
from functools import cache
from zoneinfo import available_timezones

from apps.cohorts.roster.records import RosterRole, RowStatus

MAX_NAME_CHARS = 200
MAX_ID_CHARS = 200
MAX_EMAIL_CHARS = 254
MAX_LOCALE_CHARS = 20

Problem = tuple[str, str]

# The address grammar of the HTML standard (input type=email), which is RFC 5322 without
# what no mail system uses; the domain needs a dot and may be written in its own script.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")

_ROLE_WORDS = {
    **{role.value.casefold(): role for role in RosterRole},
    "learner": RosterRole.STUDENT,
    "participant": RosterRole.STUDENT,
    "instructor": RosterRole.TEACHER,
}
_STATUSES = {
    "": RowStatus.ACTIVE,
    "active": RowStatus.ACTIVE,
    "tobedeleted": RowStatus.TO_BE_DELETED,
}


def single_line(cell: str) -> str:
    """Return the cell trimmed, with every run of white space as one space."""
    return " ".join(cell.split())


def email_problem(email: str) -> Problem | None:
    local, at, domain = email.rpartition("@")
    good = (
        at
        and len(email) <= MAX_EMAIL_CHARS
        and len(local) <= 64
        and _LOCAL.fullmatch(local)
        and _DOMAIN.fullmatch(domain)
    )
    return None if good else ("invalid-email", f"{shown(email)} is not an e-mail address.")


def locale_problem(locale: str) -> Problem | None:
    if len(locale) <= MAX_LOCALE_CHARS and _LOCALE.fullmatch(locale):
        return None
    return "invalid-locale", f"{shown(locale)} is not a language tag like en or de-CH."


def timezone_problem(timezone: str) -> Problem | None:
    if timezone in _timezones():
        return None
    return "invalid-timezone", f"{shown(timezone)} is not a time zone like Europe/Zurich."


def length_problem(text: str, *, limit: int) -> Problem | None:
    if len(text) <= limit:
        return None
    return "too-long", f"{shown(text)} is longer than {limit} characters."


def role_of(cell: str) -> RosterRole | None:
    """Return the role that the cell names in any case, or None."""
    return _ROLE_WORDS.get(cell.casefold())


def status_of(cell: str) -> RowStatus | None:
    """Return the status; an empty cell means active; None for any other word."""
    return _STATUSES.get(cell.casefold())


def shown(text: str) -> str:
    """Return the beginning of a cell for use in a message."""
    return f"“{text[:60]}…”" if len(text) > 60 else f"“{text}”"


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
