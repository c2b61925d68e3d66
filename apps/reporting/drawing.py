"""The charts of a dashboard, made of its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.reporting.charts import Chart, Part, Table, bars, funnel, histogram, line, percent
from apps.reporting.selectors.dashboards import (
    CompletionTimes,
    Funnel,
    Scope,
    SessionAttendance,
    attendance_by_session,
    completion_times,
    scores,
)
from apps.reporting.selectors.dashboards import funnel as counted_funnel

DRAWN: Final = 24
"""So many sessions are drawn, the newest; the table has all of them."""

ATTENDANCE: Final = (
    ("good", gettext_lazy("Present")),
    ("fair", gettext_lazy("Late")),
    ("soft", gettext_lazy("Excused")),
    ("poor", gettext_lazy("Absent")),
    ("none", gettext_lazy("Not recorded")),
)
WIDTHS: Final = (1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365)


def charts(scope: Scope, *, at: datetime) -> list[Chart]:
    """Return every chart of a dashboard; six statements, however much there is."""
    times = completion_times(scope)
    return [
        funnel_chart(counted_funnel(scope)),
        attendance_chart(attendance_by_session(scope, at=at)),
        *score_charts(scope),
        times_chart(times),
        completions_chart(times),
    ]


def funnel_chart(found: Funnel) -> Chart:
    """Return how far enrolments came, from the seat to the certificate."""
    steps = [
        (_("Enrolled"), found.enrolled),
        (_("Started"), found.started),
        (_("Halfway"), found.halfway),
        (_("Completed"), found.completed),
        (_("Certified"), found.certified),
    ]
    rows = [(label, n, percent(n, found.enrolled)) for label, n in steps]
    withdrawn = (_("Withdrawn"), found.withdrawn, percent(found.withdrawn, found.enrolled))
    told = ngettext(
        "Of %(enrolled)d enrolment %(completed)d completed the program, %(left)d withdrew.",
        "Of %(enrolled)d enrolments %(completed)d completed the program, %(left)d withdrew.",
        found.enrolled,
    )
    return funnel(
        "funnel",
        _("Completion"),
        told % {"enrolled": found.enrolled, "completed": found.completed, "left": found.withdrawn},
        Table((_("Step"), _("Enrolments"), _("Share")), (*rows, withdrawn)),
        steps=steps,
    )


def attendance_chart(sessions: list[SessionAttendance]) -> Chart:
    """Return what was said about everybody who was expected, session by session."""
    attended = sum(one.attended for one in sessions)
    recorded = sum(one.recorded for one in sessions)
    told = ngettext(
        "%(share)s of the recorded attendance at %(count)d session was present or late.",
        "%(share)s of the recorded attendance at %(count)d sessions was present or late.",
        len(sessions),
    )
    header = (_("Session"), _("Cohort"), _("Day"), *(str(name) for _t, name in ATTENDANCE))
    rows = tuple(
        (
            one.title,
            one.cohort_title,
            one.held_on,
            *_counts(one),
            percent(one.attended, one.recorded),
        )
        for one in sessions
    )
    return bars(
        "attendance",
        _("Attendance by session"),
        told % {"share": percent(attended, recorded), "count": len(sessions)},
        Table((*header, _("Attended")), rows),
        parts=[Part(tone, str(name)) for tone, name in ATTENDANCE],
        lines=[(f"{_day(one.held_on)} · {one.title}", _counts(one)) for one in sessions[-DRAWN:]],
    )


def _counts(one: SessionAttendance) -> tuple[int, ...]:
    return (one.present, one.late, one.excused, one.absent, one.unrecorded)


def score_charts(scope: Scope) -> Iterator[Chart]:
    """Yield how results are distributed, and how many passed each assessment."""
    found = scores(scope)
    labels = [f"{10 * n}–{10 * n + 9} %" if n < 9 else "90–100 %" for n in range(10)]
    totals = [sum(one.deciles[n] for one in found) for n in range(10)]
    results = sum(totals)
    yield histogram(
        "scores",
        _("Distribution of results"),
        _("%(count)d final results, in steps of ten percent.") % {"count": results},
        Table((_("Percent"), _("Results")), tuple(zip(labels, totals, strict=True))),
        bins=[(str(10 * n), total) for n, total in enumerate(totals)],
    )
    header = (_("Assessment"), _("Results"), _("Passed"), _("Share"), _("Mean percent"))
    yield bars(
        "assessments",
        _("Results by assessment"),
        _("How many of the learners with a final result passed each assessment."),
        Table(
            header,
            tuple(
                (
                    one.title,
                    one.results,
                    one.passed,
                    percent(one.passed, one.results),
                    one.mean_percent,
                )
                for one in found
            ),
        ),
        parts=[Part("good", _("Passed")), Part("poor", _("Not passed"))],
        lines=[(one.title, (one.passed, one.results - one.passed)) for one in found],
    )


def times_chart(times: CompletionTimes) -> Chart:
    """Return in how many days programs were completed."""
    bins = day_bins(times.days)
    if times.median_days is None:
        told = _("Nobody has completed the program yet.")
    else:
        told = _("Half of %(count)d completed it within %(days)g days.") % {
            "count": len(times.days),
            "days": times.median_days,
        }
    return histogram(
        "times",
        _("Time to complete"),
        told,
        Table((_("Days"), _("Enrolments")), tuple((label, n) for label, _short, n in bins)),
        bins=[(short, n) for _label, short, n in bins],
    )


def day_bins(days: tuple[int, ...]) -> list[tuple[str, str, int]]:
    """Return (range, first day, count) for at most twelve ranges of equal, usual width."""
    if not days:
        return []
    width = next((w for w in WIDTHS if max(days) < 12 * w), max(days) // 12 + 1)
    counts = [0] * (max(days) // width + 1)
    for one in days:
        counts[one // width] += 1
    return [
        (
            str(n * width) if width == 1 else f"{n * width}–{(n + 1) * width - 1}",
            str(n * width),
            count,
        )
        for n, count in enumerate(counts)
    ]


def completions_chart(times: CompletionTimes) -> Chart:
    """Return how many had completed the program at the end of each week."""
    points = weekly(times.completed_on)
    completed = ngettext(
        "%(count)d enrolment completed the program",
        "%(count)d enrolments completed the program",
        len(times.completed_on),
    )
    told = completed + ngettext(" in %(weeks)d week.", " in %(weeks)d weeks.", len(points))
    return line(
        "completions",
        _("Completed so far"),
        told % {"count": len(times.completed_on), "weeks": len(points)},
        Table((_("Week that ends on"), _("Completed so far")), tuple(points)),
        points=[(_day(day), n) for day, n in points],
    )


def weekly(days: tuple[date, ...]) -> list[tuple[date, int]]:
    """Return (Sunday, how many of the days until then), from the first week to the last."""
    if not days:
        return []
    sundays = [day + timedelta(days=6 - day.weekday()) for day in days]
    weeks = (max(sundays) - min(sundays)).days // 7 + 1
    ends = [min(sundays) + timedelta(weeks=n) for n in range(weeks)]
    return [(end, sum(sunday <= end for sunday in sundays)) for end in ends]


def _day(day: date) -> str:
    return day.isoformat()
