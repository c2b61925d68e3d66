"""The effective policy of an attempt: version, window and accommodation combined, once.

Every value keeps the name of where it came from, and both are frozen on the attempt, so that a
learner and a grader see the same terms years later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from apps.assessment.questions.items import JsonValue
from apps.assessment.questions.numbers import HUNDRED, ONE, ZERO, plain
from apps.assessment.vocabulary import ReleasePolicy

DAY: Final = timedelta(days=1)


class Source:
    """Where a value of the effective policy came from."""

    VERSION: Final = "version"
    WINDOW: Final = "window"
    ACCOMMODATION: Final = "accommodation"
    DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class VersionTerms:
    """What the version says about taking it. Percentages are 0 to 100, times in seconds."""

    attempts_allowed: int | None = None
    time_limit_seconds: int | None = None
    grace_seconds: int = 0
    late_percent_per_day: Decimal = ZERO
    late_cap_percent: Decimal = HUNDRED
    late_cut_off_days: int | None = None
    release_policy: str = ReleasePolicy.IMMEDIATELY


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """What a cohort's window says: when it opens, is due and closes, and more attempts or time."""

    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
    attempts_allowed: int | None = None
    time_limit_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class AccommodationTerms:
    """What one learner is granted: every timer and window times `time_multiplier`, more tries."""

    time_multiplier: Decimal = ONE
    extra_attempts: int = 0


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The terms of one attempt. None means: not limited. `sources` names each value's origin."""

    opens_at: datetime | None
    due_at: datetime | None
    closes_at: datetime | None
    attempts_allowed: int | None
    time_limit_seconds: int | None
    grace_seconds: int
    time_multiplier: Decimal
    late_percent_per_day: Decimal
    late_cap_percent: Decimal
    late_cut_off_days: int | None
    release_policy: str
    sources: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, JsonValue]:
        """Return {name: {"value", "source"}}: times in ISO 8601, numbers of parts as text."""
        return {
            name: {"value": _json(getattr(self, name)), "source": self.sources[name]}
            for name in POLICY_NAMES
        }


POLICY_NAMES: Final = (
    "opens_at",
    "due_at",
    "closes_at",
    "attempts_allowed",
    "time_limit_seconds",
    "grace_seconds",
    "time_multiplier",
    "late_percent_per_day",
    "late_cap_percent",
    "late_cut_off_days",
    "release_policy",
)
_TIMES: Final = frozenset({"opens_at", "due_at", "closes_at"})
_PARTS: Final = frozenset({"time_multiplier", "late_percent_per_day", "late_cap_percent"})


def effective_policy(
    version: VersionTerms,
    window: WindowTerms | None = None,
    accommodation: AccommodationTerms | None = None,
) -> EffectivePolicy:
    """Return the terms that hold for one learner.

    A window says when, and may replace the version's attempts and time limit. An accommodation
    then stretches the time limit, the grace and the span from opening to due and closing by its
    multiplier (a window without an opening has no span to stretch), and adds attempts.
    """
    window, granted = window or WindowTerms(), accommodation or AccommodationTerms()
    sources = dict.fromkeys(POLICY_NAMES, Source.VERSION)
    sources.update(dict.fromkeys(_TIMES, Source.DEFAULT))
    sources["time_multiplier"] = Source.DEFAULT
    for name in (*_TIMES, "attempts_allowed", "time_limit_seconds"):
        if getattr(window, name) is not None:
            sources[name] = Source.WINDOW
    attempts = _first_set(window.attempts_allowed, version.attempts_allowed)
    limit = _first_set(window.time_limit_seconds, version.time_limit_seconds)
    factor = granted.time_multiplier
    if attempts is not None and granted.extra_attempts:
        attempts += granted.extra_attempts
        sources["attempts_allowed"] = Source.ACCOMMODATION
    if factor != ONE:
        sources["time_multiplier"] = Source.ACCOMMODATION
        stretched = {
            "time_limit_seconds": limit,
            "grace_seconds": version.grace_seconds or None,
            "due_at": window.opens_at and window.due_at,
            "closes_at": window.opens_at and window.closes_at,
        }
        sources.update(
            {name: Source.ACCOMMODATION for name, value in stretched.items() if value is not None}
        )
    return EffectivePolicy(
        opens_at=window.opens_at,
        due_at=_stretched(window.opens_at, window.due_at, factor),
        closes_at=_stretched(window.opens_at, window.closes_at, factor),
        attempts_allowed=attempts,
        time_limit_seconds=None if limit is None else _seconds(limit, factor),
        grace_seconds=_seconds(version.grace_seconds, factor),
        time_multiplier=factor,
        late_percent_per_day=version.late_percent_per_day,
        late_cap_percent=version.late_cap_percent,
        late_cut_off_days=version.late_cut_off_days,
        release_policy=version.release_policy,
        sources=sources,
    )


def read_policy(data: Mapping[str, JsonValue]) -> EffectivePolicy:
    """Return the policy that `as_json` wrote; KeyError or ValueError where it did not."""
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for name in POLICY_NAMES:
        entry = data[name]
        if not isinstance(entry, dict):
            raise ValueError(f"{name} is no entry of a policy.")
        values[name] = _python(name, entry["value"])
        sources[name] = str(entry["source"])
    return EffectivePolicy(**values, sources=sources)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """`ends_at` is what the learner is shown; the server accepts until the grace is over."""

    ends_at: datetime | None
    accepts_until: datetime | None


def deadlines(policy: EffectivePolicy, *, started_at: datetime) -> Deadlines:
    """Return when an attempt that started at `started_at` ends; None: never by itself.

    The earliest counts of: time limit, closing of the window, cut-off for late work.
    """
    ends = []
    if policy.time_limit_seconds is not None:
        ends.append(started_at + timedelta(seconds=policy.time_limit_seconds))
    if policy.closes_at is not None:
        ends.append(policy.closes_at)
    if policy.due_at is not None and policy.late_cut_off_days is not None:
        ends.append(policy.due_at + policy.late_cut_off_days * DAY)
    if not ends:
        return Deadlines(None, None)
    ends_at = min(ends)
    return Deadlines(ends_at, ends_at + timedelta(seconds=policy.grace_seconds))


@dataclass(frozen=True, slots=True)
class StartRefusal:
    """Why no attempt may start: a stable code and a sentence."""

    code: str
    message: str


def start_refusal(
    policy: EffectivePolicy, *, attempts_made: int, at: datetime
) -> StartRefusal | None:
    """Return why an attempt may not start at `at`, or None.

    A voided attempt counts as made: whether misconduct earns another try is a person's decision,
    taken by granting an extra attempt.
    """
    if policy.opens_at is not None and at < policy.opens_at:
        return StartRefusal("not-open-yet", "This assessment has not opened yet.")
    ends_at = deadlines(policy, started_at=at).ends_at
    if ends_at is not None and ends_at <= at:
        return StartRefusal("closed", "This assessment is closed.")
    if policy.attempts_allowed is not None and attempts_made >= policy.attempts_allowed:
        return StartRefusal("no-attempts-left", "All allowed attempts have been made.")
    return None


def late_percent(policy: EffectivePolicy, *, submitted_at: datetime) -> Decimal:
    """Return what lateness costs, in percent of the maximum score: per started day, capped.

    A day is 24 hours, so a change of the clocks costs nobody a day. Work within the grace after
    the due time is on time.
    """
    if policy.due_at is None or not policy.late_percent_per_day:
        return ZERO
    late = submitted_at - policy.due_at - timedelta(seconds=policy.grace_seconds)
    if late <= timedelta(0):
        return ZERO
    days = -(-(submitted_at - policy.due_at) // DAY)
    return min(days * policy.late_percent_per_day, policy.late_cap_percent)


def _first_set(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _seconds(seconds: int, factor: Decimal) -> int:
    return int((seconds * factor).to_integral_value(rounding="ROUND_CEILING"))


def _stretched(start: datetime | None, end: datetime | None, factor: Decimal) -> datetime | None:
    if start is None or end is None or factor == ONE:
        return end
    return start + timedelta(seconds=_seconds(int((end - start).total_seconds()), factor))


def _json(value: object) -> JsonValue:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(value)
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"{value!r} has no place in a policy.")


def _python(name: str, value: JsonValue) -> object:
    if value is None or isinstance(value, int):
        return value
    if name in _TIMES:
        return datetime.fromisoformat(str(value))
    return Decimal(str(value)) if name in _PARTS else str(value)
