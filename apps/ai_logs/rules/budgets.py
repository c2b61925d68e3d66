"""What may still be spent in a month: the plan's limit and the organisation's own, the lower."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

DEFAULT_ALERT_PERCENT = Decimal(80)


def month_of(moment: datetime) -> date:
    """Return the first day of a moment's month (UTC)."""
    return moment.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    years, number = divmod(month.month, 12)
    return date(month.year + years, number + 1, 1)


def seconds_left(moment: datetime) -> int:
    """Return the seconds until the month ends, at least 1."""
    ends = next_month(month_of(moment))
    left = datetime(ends.year, ends.month, 1, tzinfo=UTC) - moment
    return max(int(left.total_seconds()) + 1, 1)


@dataclass(frozen=True, slots=True)
class OwnBudget:
    """What the organisation said itself; no amount: only the plan limits."""

    amount: Decimal | None
    alert_percent: Decimal = DEFAULT_ALERT_PERCENT
    is_hard_stop: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A month's spending, in US dollars, against what may be spent; None is no limit.

    The plan's limit always stops, the organisation's own where it says so.
    """

    month: date
    spent: Decimal
    unpriced: int
    plan: Decimal | None
    own: OwnBudget | None = None

    @property
    def limit(self) -> Decimal | None:
        """The lower of the two."""
        return _lowest(self.plan, self.own.amount if self.own else None)

    @property
    def alert_percent(self) -> Decimal:
        return self.own.alert_percent if self.own else DEFAULT_ALERT_PERCENT

    @property
    def alert_at(self) -> Decimal | None:
        return None if self.limit is None else self.limit * self.alert_percent / 100

    @property
    def stop_at(self) -> Decimal | None:
        is_stop = self.own is not None and self.own.is_hard_stop
        return _lowest(self.plan, self.own.amount if self.own and is_stop else None)

    @property
    def is_stopped(self) -> bool:
        return self.stop_at is not None and self.spent >= self.stop_at

    @property
    def is_alarming(self) -> bool:
        """Whether the share is reached at which people are told; nothing spent alarms nobody."""
        return self.alert_at is not None and self.spent > 0 and self.spent >= self.alert_at


def _lowest(*amounts: Decimal | None) -> Decimal | None:
    return min((amount for amount in amounts if amount is not None), default=None)
