"""The charts about AI conversations: what they cost, what people thought, what came after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ai_logs.vocabulary import SessionType
from apps.reporting.charts import Chart, Part, Table, bars
from apps.reporting.selectors.ai_reports import (
    CostLine,
    QualityLine,
    TutoringLine,
    costs,
    quality,
    tutoring_before_a_pass,
)
from apps.reporting.selectors.dashboards import Scope

DRAWN: Final = 12
"""So many bars are drawn; the table has more."""
SHOWN: Final = 100
"""So many lines a page's table has; the CSV has all of them."""
MICRO: Final = Decimal(1_000_000)

COSTS: Final[tuple[tuple[str, Any, Any], ...]] = (
    ("organization", gettext_lazy("Cost of the organisation"), gettext_lazy("Organisation")),
    ("day", gettext_lazy("Cost by day"), gettext_lazy("Day")),
    ("course", gettext_lazy("Cost by course"), gettext_lazy("Course")),
    ("cohort", gettext_lazy("Cost by cohort"), gettext_lazy("Cohort")),
    ("learner", gettext_lazy("Cost by learner"), gettext_lazy("Learner")),
    ("session", gettext_lazy("Cost by session"), gettext_lazy("Session")),
    ("model", gettext_lazy("Cost by model"), gettext_lazy("Model")),
)


def ai_charts(scope: Scope, *, window: timedelta, limit: int | None = SHOWN) -> list[Chart]:
    """Return every chart about AI; nine statements, however much there is."""
    return [
        *(
            cost_chart(by, str(title), str(kind), costs(scope, by=by, limit=limit))
            for by, title, kind in COSTS
        ),
        quality_chart(quality(scope)),
        tutoring_chart(tutoring_before_a_pass(scope, window=window), window),
    ]


def cost_chart(by: str, title: str, kind: str, lines: Sequence[CostLine]) -> Chart:
    """Return what things cost; of days the newest are drawn, of all else the dearest."""
    total = sum((line.cost_usd for line in lines), Decimal(0))
    unpriced = sum(line.unpriced for line in lines)
    told = _("%(calls)d calls cost %(cost)s.") % {
        "calls": sum(line.calls for line in lines),
        "cost": dollars(total),
    }
    if unpriced:
        told += " " + _("%(count)d of them have no price in US dollars.") % {"count": unpriced}
    header = (
        kind,
        _("Sessions"),
        _("Calls"),
        _("Tokens in"),
        _("Tokens out"),
        _("US dollars"),
        _("Calls without a price"),
    )
    rows = tuple(
        (
            _label(line, by),
            line.sessions,
            line.calls,
            line.input_tokens,
            line.output_tokens,
            f"{line.cost_usd:.6f}",
            line.unpriced,
        )
        for line in lines
    )
    drawn = lines[-DRAWN:] if by == "day" else lines[:DRAWN]
    return bars(
        f"ai-cost-{by}",
        title,
        told,
        Table(header, rows),
        parts=[Part("main", _("US dollars"))],
        lines=[(_label(line, by), (int(line.cost_usd * MICRO),)) for line in drawn],
        say=lambda micro: dollars(Decimal(micro) / MICRO),
    )


def _label(line: CostLine, by: str) -> str:
    if by == "organization":
        return _("All")
    if not line.key:
        return _("none")
    if by == "session":
        return f"{line.label[:16]} · {line.key[-6:]}"
    return line.label


def dollars(amount: Decimal) -> str:
    """Return an amount as people read it: the smaller, the more digits."""
    return f"$ {amount:.2f}" if amount >= 1 else f"$ {amount:.6f}"


def quality_chart(lines: Sequence[QualityLine]) -> Chart:
    """Return what people thought of each model in each kind of session."""
    header = (
        _("Model"),
        _("Kind of session"),
        _("Calls (n)"),
        _("Thumbs up"),
        _("Thumbs down"),
        _("Flags"),
        _("Up of rated"),
        _("US dollars"),
    )
    rows = tuple(
        (
            line.model,
            kind_of(line.session_type),
            line.calls,
            line.thumbs_up,
            line.thumbs_down,
            line.flags,
            share(line.rate),
            f"{line.cost_usd:.6f}",
        )
        for line in lines
    )
    told = _("%(rated)d of %(calls)d answers were rated, %(flags)d flagged.") % {
        "rated": sum(line.rated for line in lines),
        "calls": sum(line.calls for line in lines),
        "flags": sum(line.flags for line in lines),
    }
    return bars(
        "ai-quality",
        _("Quality by model and kind of session"),
        told,
        Table(header, rows),
        parts=[
            Part("good", _("Thumbs up")),
            Part("fair", _("Thumbs down")),
            Part("poor", _("Flags")),
        ],
        lines=[
            (
                f"{line.model} · {kind_of(line.session_type)}",
                (line.thumbs_up, line.thumbs_down, line.flags),
            )
            for line in lines[:DRAWN]
        ],
    )


def tutoring_chart(lines: Sequence[TutoringLine], window: timedelta) -> Chart:
    """Return how attempts went with tutoring before them, beside the base rate."""
    header = (
        _("Course"),
        _("Attempts"),
        _("Passed"),
        _("Base rate"),
        _("With tutoring before"),
        _("Of these passed"),
        _("Rate with tutoring"),
        _("Rate without"),
    )
    rows = tuple(
        (
            line.title,
            line.attempts,
            line.passed,
            share(line.base_rate),
            line.tutored,
            line.tutored_passed,
            share(line.tutored_rate),
            share(line.untutored_rate),
        )
        for line in lines
    )
    told = _(
        "A correlation, not an effect: %(tutored)d of %(attempts)d final attempts had a tutoring "
        "session about the same course in the %(days)d days before. Who asks a tutor may differ "
        "from who does not in more than that."
    ) % {
        "tutored": sum(line.tutored for line in lines),
        "attempts": sum(line.attempts for line in lines),
        "days": window.days,
    }
    drawn: list[tuple[str, tuple[int, ...]]] = []
    for line in lines[: DRAWN // 2]:
        failed = line.tutored - line.tutored_passed
        drawn.append((f"{line.title} · {_('with')}", (line.tutored_passed, failed)))
        drawn.append((f"{line.title} · {_('all')}", (line.passed, line.attempts - line.passed)))
    return bars(
        "ai-tutoring",
        _("Tutoring before a pass (correlation)"),
        told,
        Table(header, rows),
        parts=[Part("good", _("Passed")), Part("poor", _("Not passed"))],
        lines=drawn,
    )


def share(rate: float | None) -> str:
    """Return a rate in whole percent, a dash where there is none."""
    return "–" if rate is None else f"{rate * 100:.0f} %"


def kind_of(session_type: str) -> str:
    """Return a kind of session as people call it; unknown ones as they came."""
    known = session_type in SessionType.values
    return str(SessionType(session_type).label) if known else session_type
