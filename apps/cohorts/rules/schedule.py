"""When a recurring session takes place: a recurrence rule in a wall clock, as moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from apps.core.problems import Invalid

MAX_OCCURRENCES = 500
HORIZON = timedelta(days=5 * 366)
FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
)


class InvalidRecurrence(Invalid):
    code = "invalid-recurrence"
    title = "The series cannot be scheduled."

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, errors=[{"field": "rule", "code": reason, "message": message}])


@dataclass(frozen=True)
class Occurrence:
    """One meeting: two moments in UTC."""

    starts_at: datetime
    ends_at: datetime


def occurrences(
    *, first: datetime, length: timedelta, rule: str, zone: ZoneInfo
) -> list[Occurrence]:
    """Return the meetings of a series that begins at the wall-clock time `first` in `zone`.

    `rule` is a recurrence rule of RFC 5545, section 3.3.10, by days or longer, with COUNT or UNTIL.
    The wall clock is kept: nine o'clock stays nine o'clock when the clocks change. A time that
    the change skips is read with the offset before it, one that occurs twice is the first
    (RFC 5545, section 3.3.5); `length` is elapsed time. Raises InvalidRecurrence.
    """
    if first.tzinfo is not None:
        raise ValueError("The first start is a wall-clock time, without an offset.")
    if length <= timedelta(0):
        raise InvalidRecurrence("length-not-positive", "A session ends after it starts.")
    parts = _parts(rule)
    last = _last(parts, first, zone)
    count = min(_count(parts), MAX_OCCURRENCES + 1)
    parts["UNTIL"] = last.strftime("%Y%m%dT%H%M%S")
    pattern = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        starts = list(islice(rrulestr(pattern, dtstart=first), count))
    except (ValueError, OverflowError) as error:
        raise InvalidRecurrence("rule-unreadable", f"“{rule}” is not a recurrence rule.") from error
    if not starts:
        raise InvalidRecurrence("no-occurrence", f"“{rule}” never happens.")
    if len(starts) > MAX_OCCURRENCES:
        raise InvalidRecurrence("too-many", f"“{rule}” makes more than {MAX_OCCURRENCES} sessions.")
    moments = [moment(start, zone) for start in starts]
    return [Occurrence(starts_at=start, ends_at=start + length) for start in moments]


def moment(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment in UTC at which clocks in `zone` show `wall_clock`."""
    return wall_clock.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _parts(rule: str) -> dict[str, str]:
    """Split a rule into its parts, refusing what is unknown, repeated, or shorter than a day."""
    parts: dict[str, str] = {}
    for part in rule.strip().upper().removeprefix("RRULE:").split(";"):
        name, _, value = part.partition("=")
        if name not in PARTS or not value or name in parts:
            raise InvalidRecurrence("rule-unreadable", f"“{part}” is not part of a usable rule.")
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise InvalidRecurrence("frequency", "A series repeats by day, week, month or year.")
    if parts["FREQ"] in ("DAILY", "WEEKLY") and any(map(str.isdigit, parts.get("BYDAY", ""))):
        raise InvalidRecurrence("rule-unreadable", "Only months and years have a third Monday.")
    _number(parts, "INTERVAL")
    return parts


def _last(parts: dict[str, str], first: datetime, zone: ZoneInfo) -> datetime:
    """Take UNTIL out of the parts; return the last wall-clock time that may be a start."""
    until = parts.pop("UNTIL", None)
    if until is None and "COUNT" not in parts:
        raise InvalidRecurrence("unbounded", "A series needs COUNT or UNTIL.")
    horizon = first + HORIZON
    if until is None:
        return horizon
    for form in ("%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ"):
        try:
            end = datetime.strptime(until, form)  # noqa: DTZ007
        except ValueError:
            continue
        if form.endswith("Z"):
            end = end.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
        elif "T" not in form:
            end = end.replace(hour=23, minute=59, second=59)
        return min(end, horizon)
    raise InvalidRecurrence("rule-unreadable", f"“UNTIL={until}” is not a date or time.")


def _count(parts: dict[str, str]) -> int:
    """Take COUNT out of the parts; without one UNTIL is the only bound."""
    count = _number(parts, "COUNT")
    parts.pop("COUNT", None)
    return MAX_OCCURRENCES + 1 if count is None else count


def _number(parts: dict[str, str], name: str) -> int | None:
    """Return a part that is a positive number, None where it is missing."""
    digits = parts.get(name)
    if digits is None:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 6 or int(digits) < 1:
        raise InvalidRecurrence("rule-unreadable", f"“{name}={digits}” is not a positive number.")
    return int(digits)
