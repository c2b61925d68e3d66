from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.cohorts.rules.schedule import (
    HORIZON,
    MAX_OCCURRENCES,
    InvalidRecurrence,
    Occurrence,
    moment,
    occurrences,
)

BERLIN = ZoneInfo("Europe/Berlin")
TWO_HOURS = timedelta(hours=2)


def clock(shown: str) -> datetime:
    """Return a wall-clock time."""
    return datetime.fromisoformat(shown)


def starts(rule: str, first: datetime, zone: ZoneInfo = BERLIN) -> list[datetime]:
    return [o.starts_at for o in occurrences(first=first, length=TWO_HOURS, rule=rule, zone=zone)]


def test_occurrences_keep_the_wall_clock_when_the_clocks_change() -> None:
    weekly = occurrences(
        first=clock("2026-03-23 09:00"),
        length=TWO_HOURS,
        rule="FREQ=WEEKLY;COUNT=3",
        zone=BERLIN,
    )

    assert weekly == [
        Occurrence(
            datetime(2026, 3, 23, 8, 0, tzinfo=UTC), datetime(2026, 3, 23, 10, 0, tzinfo=UTC)
        ),
        Occurrence(
            datetime(2026, 3, 30, 7, 0, tzinfo=UTC), datetime(2026, 3, 30, 9, 0, tzinfo=UTC)
        ),
        Occurrence(datetime(2026, 4, 6, 7, 0, tzinfo=UTC), datetime(2026, 4, 6, 9, 0, tzinfo=UTC)),
    ]


def test_moment_of_a_skipped_time_uses_the_offset_before_the_change() -> None:
    assert moment(clock("2026-03-29 02:30"), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_moment_of_a_repeated_time_is_the_first() -> None:
    assert moment(clock("2026-10-25 02:30"), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_occurrences_until_a_date_include_that_day() -> None:
    assert starts("FREQ=DAILY;UNTIL=20260304", clock("2026-03-02 18:00")) == [
        datetime(2026, 3, day, 17, 0, tzinfo=UTC) for day in (2, 3, 4)
    ]


def test_occurrences_until_a_moment_in_utc_end_there() -> None:
    assert starts("RRULE:FREQ=DAILY;UNTIL=20260303T165959Z", clock("2026-03-02 18:00")) == [
        datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
    ]


def test_occurrences_on_the_third_monday_of_the_month() -> None:
    monthly = starts("FREQ=MONTHLY;BYDAY=3MO;COUNT=2", clock("2026-01-19 09:00"))

    assert monthly == [
        datetime(2026, 1, 19, 8, 0, tzinfo=UTC),
        datetime(2026, 2, 16, 8, 0, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("", "rule-unreadable"),
        ("FREQ=SECONDLY;COUNT=5", "frequency"),
        ("COUNT=5", "frequency"),
        ("FREQ=DAILY", "unbounded"),
        ("FREQ=DAILY;COUNT=0", "rule-unreadable"),
        ("FREQ=DAILY;COUNT=99999999999999", "rule-unreadable"),
        ("FREQ=DAILY;COUNT=501", "too-many"),
        ("FREQ=DAILY;INTERVAL=0;COUNT=5", "rule-unreadable"),
        ("FREQ=DAILY;INTERVAL=-1;COUNT=5", "rule-unreadable"),
        ("FREQ=DAILY;BYDAY=3MO;COUNT=5", "rule-unreadable"),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=5", "rule-unreadable"),
        ("FREQ=DAILY;BYHOUR=3;COUNT=5", "rule-unreadable"),
        ("FREQ=DAILY;UNTIL=tomorrow", "rule-unreadable"),
        ("FREQ=DAILY;UNTIL=20250101", "no-occurrence"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1", "no-occurrence"),
        ("FREQ=DAILY;COUNT=2;COUNT=3", "rule-unreadable"),
    ],
)
def test_occurrences_refuse(rule: str, code: str) -> None:
    with pytest.raises(InvalidRecurrence) as refused:
        starts(rule, clock("2026-03-02 18:00"))

    assert [error["code"] for error in refused.value.errors] == [code]


def test_occurrences_of_no_length_are_refused() -> None:
    with pytest.raises(InvalidRecurrence, match="ends after it starts"):
        occurrences(
            first=clock("2026-03-02 00:00"),
            length=timedelta(0),
            rule="FREQ=DAILY;COUNT=1",
            zone=BERLIN,
        )


FIRSTS = st.datetimes(clock("2000-01-01 00:00"), clock("2090-01-01 00:00"))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
).map(ZoneInfo)


@given(
    first=FIRSTS,
    zone=ZONES,
    freq=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
    interval=st.integers(1, 9),
    count=st.integers(1, 30),
)
def test_occurrences_rise_and_show_the_same_wall_clock(
    first: datetime, zone: ZoneInfo, freq: str, interval: int, count: int
) -> None:
    first = first.replace(microsecond=0)
    found = starts(f"FREQ={freq};INTERVAL={interval};COUNT={count}", first, zone)

    assert found == sorted(set(found))
    assert found[0] == moment(first, zone)
    for start in found:
        local = start.astimezone(zone).replace(tzinfo=None)
        skipped = local - local.replace(hour=first.hour, minute=first.minute, second=first.second)
        assert skipped in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


@given(rule=st.text(max_size=60), first=FIRSTS)
def test_occurrences_of_any_text_are_bounded_or_refused(rule: str, first: datetime) -> None:
    try:
        found = starts(f"FREQ=DAILY;{rule}", first)
    except InvalidRecurrence:
        return
    assert 0 < len(found) <= MAX_OCCURRENCES
    assert found[-1] - found[0] <= HORIZON
