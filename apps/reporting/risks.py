"""The rules by which a learner is at risk, each told as the reason. Pure.

Thresholds belong to a cohort; None switches a rule off. Whoever has completed the program is at no
risk, whatever else is open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.requirements.facts import Facts
from apps.requirements.graph import NodeKind, VersionSpec
from apps.requirements.statuses import Evaluation, NodeStatus, Reason, Status


class RiskKind(TextChoices):
    """What puts a learner at risk."""

    ATTENDANCE = "attendance", gettext_lazy("attendance")
    INACTIVE = "inactive", gettext_lazy("no activity")
    FAILED = "failed", gettext_lazy("assessment not passed")
    OVERDUE = "overdue", gettext_lazy("overdue")
    LOCKED = "locked", gettext_lazy("locked beyond its date")


@dataclass(frozen=True)
class Thresholds:
    """From where on a learner is at risk; None: never for this reason.

    `misses_left`: at most so many sessions can still be missed, and one was. `inactive_days`:
    nothing was done for so many days. `failed_results`: so many results of record are final and
    not passed. `overdue_days` and `locked_days`: more than so many days after the date.
    """

    misses_left: int | None = 1
    inactive_days: int | None = 14
    failed_results: int | None = 1
    overdue_days: int | None = 0
    locked_days: int | None = 0


@dataclass(frozen=True)
class Risk:
    """One reason. `count` is in the kind's unit: sessions that can be missed, or days.

    Negative sessions: the requirement can no longer be met. `about` is the title of the
    requirement or assessment, `on` the day it was due, `percent` the result of record.
    """

    kind: str
    about: str = ""
    count: int = 0
    on: date | None = None
    percent: Decimal | None = None

    @property
    def sentence(self) -> str:
        """Return the reason in words."""
        return SENTENCES[self.kind](self)


@dataclass(frozen=True)
class Missed:
    """An assessment that was due at that time and was not handed in."""

    title: str
    due_at: datetime


@dataclass(frozen=True)
class NotPassed:
    """A final result of record that is not enough."""

    title: str
    percent: Decimal


@dataclass(frozen=True)
class Learner:
    """What is known of one enrolment. `active_on` is the day of the last activity or the first."""

    active_on: date | None
    not_passed: Sequence[NotPassed]
    missed: Sequence[Missed]
    standings: Sequence[tuple[VersionSpec, Facts, Evaluation]]


def risks(learner: Learner, thresholds: Thresholds, *, at: datetime) -> list[Risk]:
    """Return every reason for which this learner is at risk, those of one kind together."""
    found = [
        *_attendance(learner, thresholds.misses_left),
        *_inactive(learner, thresholds.inactive_days, at),
        *_failed(learner, thresholds.failed_results),
        *_overdue(learner, thresholds.overdue_days, at),
        *_locked(learner, thresholds.locked_days, at),
    ]
    return list(dict.fromkeys(found))


def _attendance(learner: Learner, misses_left: int | None) -> Iterator[Risk]:
    if misses_left is None:
        return
    for spec, facts, evaluation in learner.standings:
        for node in spec.nodes:
            if node.kind != NodeKind.ATTENDANCE:
                continue
            status = evaluation.statuses[node.key]
            spare = _can_be_missed(status, facts)
            if spare is not None and spare <= misses_left:
                yield Risk(RiskKind.ATTENDANCE, node.title or node.key, spare)


def _can_be_missed(status: NodeStatus, facts: Facts) -> int | None:
    """Return how many sessions can still be missed; None where that is no worry.

    Nobody is at risk before the first miss: of a short course nothing can be missed to begin with.
    """
    if status.reason is Reason.ATTENDANCE_OUT_OF_REACH:
        return -1
    if status.reason is not Reason.ATTENDANCE_OPEN or status.is_met:
        return None
    counted = [s for s in facts.sessions if status.deadline is None or s.ends_at <= status.deadline]
    records = [facts.attendance.get(session.session) for session in counted]
    if not any(record is not None and record.status == "absent" for record in records):
        return None
    still_open = sum(record is None for record in records)
    return int(status.have or 0) + still_open - int(status.need or 0)


def _inactive(learner: Learner, days: int | None, at: datetime) -> Iterator[Risk]:
    if days is None or learner.active_on is None:
        return
    since = (at.date() - learner.active_on).days
    if since >= max(days, 1):
        yield Risk(RiskKind.INACTIVE, count=since, on=learner.active_on)


def _failed(learner: Learner, results: int | None) -> Iterator[Risk]:
    if results is not None and len(learner.not_passed) >= max(results, 1):
        for one in learner.not_passed:
            yield Risk(RiskKind.FAILED, one.title, percent=one.percent)


def _overdue(learner: Learner, days: int | None, at: datetime) -> Iterator[Risk]:
    """Yield what was due: assessments by their windows, and requirements that stood open."""
    if days is None:
        return
    for one in learner.missed:
        if at - one.due_at > timedelta(days=days):
            yield _dated(RiskKind.OVERDUE, one.title, one.due_at, at)
    for title, deadline in _past(learner, at, days, is_open=True):
        yield _dated(RiskKind.OVERDUE, title, deadline, at)


def _locked(learner: Learner, days: int | None, at: datetime) -> Iterator[Risk]:
    if days is None:
        return
    for title, deadline in _past(learner, at, days, is_open=False):
        yield _dated(RiskKind.LOCKED, title, deadline, at)


def _past(
    learner: Learner, at: datetime, days: int, *, is_open: bool
) -> Iterator[tuple[str, datetime]]:
    """Yield requirements whose date is over and that are not met, open ones or closed ones."""
    for spec, _facts, evaluation in learner.standings:
        for node in spec.nodes:
            status = evaluation.statuses[node.key]
            if status.deadline is None or status.is_met or status.is_settling:
                continue
            is_locked = status.status == Status.LOCKED or not status.is_open
            if is_locked != is_open and at - status.deadline > timedelta(days=days):
                yield node.title or node.key, status.deadline


def _dated(kind: RiskKind, about: str, due_at: datetime, at: datetime) -> Risk:
    return Risk(kind, about, (at - due_at).days, due_at.astimezone(UTC).date())


def kinds_of(found: Collection[Risk]) -> list[str]:
    """Return the kinds there are, in the order of RiskKind."""
    there = {risk.kind for risk in found}
    return [kind for kind in RiskKind.values if kind in there]


def _attendance_said(risk: Risk) -> str:
    if risk.count < 0:
        return _("“%(about)s” can no longer be met.") % {"about": risk.about}
    if risk.count == 0:
        return _("“%(about)s”: no session can be missed any more.") % {"about": risk.about}
    return ngettext(
        "“%(about)s”: only one more session can be missed.",
        "“%(about)s”: only %(count)s more sessions can be missed.",
        risk.count,
    ) % {"about": risk.about, "count": risk.count}


def _inactive_said(risk: Risk) -> str:
    return ngettext("No activity for one day.", "No activity for %(count)s days.", risk.count) % {
        "count": risk.count
    }


def _failed_said(risk: Risk) -> str:
    values = {"about": risk.about, "percent": f"{risk.percent:.0f}"}
    return _("“%(about)s” was not passed (%(percent)s %%).") % values


def _overdue_said(risk: Risk) -> str:
    return _("“%(about)s” was due on %(on)s.") % _named_day(risk)


def _locked_said(risk: Risk) -> str:
    return _("“%(about)s” is still locked, and its date was %(on)s.") % _named_day(risk)


def _named_day(risk: Risk) -> dict[str, Any]:
    return {"about": risk.about, "on": date_format(risk.on, "j F Y") if risk.on else ""}


SENTENCES = {
    RiskKind.ATTENDANCE.value: _attendance_said,
    RiskKind.INACTIVE.value: _inactive_said,
    RiskKind.FAILED.value: _failed_said,
    RiskKind.OVERDUE.value: _overdue_said,
    RiskKind.LOCKED.value: _locked_said,
}
