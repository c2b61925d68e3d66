from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.rules.policy import (
    AccommodationTerms,
    Deadlines,
    EffectivePolicy,
    StartRefusal,
    VersionTerms,
    WindowTerms,
    deadlines,
    effective_policy,
    late_percent,
    read_policy,
    start_refusal,
)
from apps.assessment.vocabulary import ReleasePolicy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
VERSION = VersionTerms(
    attempts_allowed=2,
    time_limit_seconds=3600,
    grace_seconds=30,
    late_percent_per_day=Decimal(10),
    late_cap_percent=Decimal(50),
    late_cut_off_days=7,
    release_policy=ReleasePolicy.AFTER_DUE,
)
WINDOW = WindowTerms(opens_at=NOON, due_at=NOON + 2 * DAY, closes_at=NOON + 10 * DAY)


def test_effective_policy_of_a_version_alone() -> None:
    policy = effective_policy(VERSION)

    assert policy == EffectivePolicy(
        opens_at=None,
        due_at=None,
        closes_at=None,
        attempts_allowed=2,
        time_limit_seconds=3600,
        grace_seconds=30,
        time_multiplier=Decimal(1),
        late_percent_per_day=Decimal(10),
        late_cap_percent=Decimal(50),
        late_cut_off_days=7,
        release_policy="after_due",
        sources={
            "opens_at": "default",
            "due_at": "default",
            "closes_at": "default",
            "attempts_allowed": "version",
            "time_limit_seconds": "version",
            "grace_seconds": "version",
            "time_multiplier": "default",
            "late_percent_per_day": "version",
            "late_cap_percent": "version",
            "late_cut_off_days": "version",
            "release_policy": "version",
        },
    )


def test_effective_policy_lets_the_window_replace_and_the_accommodation_stretch() -> None:
    policy = effective_policy(
        VERSION,
        replace(WINDOW, time_limit_seconds=1801),
        AccommodationTerms(time_multiplier=Decimal("1.5"), extra_attempts=1),
    )

    assert policy == EffectivePolicy(
        opens_at=NOON,
        due_at=NOON + 3 * DAY,
        closes_at=NOON + 15 * DAY,
        attempts_allowed=3,
        time_limit_seconds=2702,
        grace_seconds=45,
        time_multiplier=Decimal("1.5"),
        late_percent_per_day=Decimal(10),
        late_cap_percent=Decimal(50),
        late_cut_off_days=7,
        release_policy="after_due",
        sources={
            "opens_at": "window",
            "due_at": "accommodation",
            "closes_at": "accommodation",
            "attempts_allowed": "accommodation",
            "time_limit_seconds": "accommodation",
            "grace_seconds": "accommodation",
            "time_multiplier": "accommodation",
            "late_percent_per_day": "version",
            "late_cap_percent": "version",
            "late_cut_off_days": "version",
            "release_policy": "version",
        },
    )


def test_effective_policy_keeps_unlimited_attempts_unlimited() -> None:
    policy = effective_policy(VersionTerms(), None, AccommodationTerms(extra_attempts=3))

    assert (policy.attempts_allowed, policy.sources["attempts_allowed"]) == (None, "version")


def test_effective_policy_cannot_stretch_a_window_without_an_opening() -> None:
    window = replace(WINDOW, opens_at=None)

    policy = effective_policy(VERSION, window, AccommodationTerms(time_multiplier=Decimal(2)))

    assert (policy.due_at, policy.sources["due_at"]) == (window.due_at, "window")


times = st.none() | st.datetimes(timezones=st.just(UTC))
counts = st.none() | st.integers(1, 10**6)


@given(
    version=st.builds(
        VersionTerms,
        attempts_allowed=counts,
        time_limit_seconds=counts,
        grace_seconds=st.integers(0, 600),
        late_percent_per_day=st.decimals(0, 100, places=2),
        late_cap_percent=st.decimals(0, 100, places=2),
        late_cut_off_days=counts,
    ),
    window=st.builds(WindowTerms, opens_at=times, attempts_allowed=counts),
    granted=st.builds(
        AccommodationTerms,
        time_multiplier=st.decimals(1, 4, places=2),
        extra_attempts=st.integers(0, 5),
    ),
)
def test_read_policy_reads_what_as_json_wrote(
    version: VersionTerms, window: WindowTerms, granted: AccommodationTerms
) -> None:
    policy = effective_policy(version, window, granted)

    assert read_policy(json.loads(json.dumps(policy.as_json()))) == policy


@pytest.mark.parametrize(
    ("started_after", "ends_after"),
    [
        (timedelta(0), HOUR),
        (10 * DAY - timedelta(minutes=10), 10 * DAY),
        (9 * DAY, 9 * DAY),
    ],
    ids=["time limit", "closing", "late cut-off"],
)
def test_deadlines_take_the_earliest_end_and_add_the_grace(
    started_after: timedelta, ends_after: timedelta
) -> None:
    version = replace(VERSION, late_cut_off_days=7 if ends_after == 9 * DAY else None)

    found = deadlines(effective_policy(version, WINDOW), started_at=NOON + started_after)

    ends_at = NOON + ends_after
    assert found == Deadlines(ends_at, ends_at + timedelta(seconds=30))


def test_deadlines_without_any_limit_are_open() -> None:
    assert deadlines(effective_policy(VersionTerms()), started_at=NOON) == Deadlines(None, None)


@pytest.mark.parametrize(
    ("at", "made", "code"),
    [
        (NOON - timedelta(seconds=1), 0, "not-open-yet"),
        (NOON, 0, None),
        (NOON + 8 * DAY, 1, None),
        (NOON + 9 * DAY, 0, "closed"),
        (NOON, 2, "no-attempts-left"),
    ],
)
def test_start_refusal_names_the_reason(at: datetime, made: int, code: str | None) -> None:
    refusal = start_refusal(effective_policy(VERSION, WINDOW), attempts_made=made, at=at)

    assert (refusal.code if isinstance(refusal, StartRefusal) else None) == code


@pytest.mark.parametrize(
    ("late", "percent"),
    [
        (timedelta(0), "0"),
        (timedelta(seconds=30), "0"),
        (timedelta(seconds=31), "10"),
        (DAY, "10"),
        (DAY + timedelta(seconds=1), "20"),
        (6 * DAY, "50"),
    ],
)
def test_late_percent_counts_started_days_up_to_the_cap(late: timedelta, percent: str) -> None:
    policy = effective_policy(VERSION, WINDOW)
    assert policy.due_at is not None

    assert late_percent(policy, submitted_at=policy.due_at + late) == Decimal(percent)


def test_late_percent_is_nothing_without_a_due_time_or_a_rule() -> None:
    much_later = NOON + 100 * DAY

    assert late_percent(effective_policy(VERSION), submitted_at=much_later) == 0
    assert late_percent(effective_policy(VersionTerms(), WINDOW), submitted_at=much_later) == 0


def test_late_percent_counts_24_hours_across_a_change_of_the_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    due_at = datetime(2026, 3, 28, 23, 59, tzinfo=berlin).astimezone(UTC)
    same_clock_time_next_day = datetime(2026, 3, 29, 23, 59, tzinfo=berlin).astimezone(UTC)
    policy = effective_policy(VERSION, WindowTerms(due_at=due_at))

    assert same_clock_time_next_day - due_at == timedelta(hours=23)
    assert late_percent(policy, submitted_at=same_clock_time_next_day) == Decimal(10)
    assert late_percent(
        policy, submitted_at=same_clock_time_next_day + HOUR + timedelta(seconds=1)
    ) == Decimal(20)
