from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.timestamps import TimestampInvalid, format_timestamp, parse_timestamp


def test_format_timestamp_is_utc_to_the_second() -> None:
    moment = datetime(2025, 3, 1, 10, 30, 5, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_timestamp(moment) == "2025-03-01T08:30:05Z"


def test_format_timestamp_refuses_a_time_without_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_timestamp(datetime(2025, 3, 1))  # noqa: DTZ001 - that is the case


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-03-01T08:30:05Z", datetime(2025, 3, 1, 8, 30, 5, tzinfo=UTC)),
        ("2025-03-01T08:30:05+02:00", datetime(2025, 3, 1, 6, 30, 5, tzinfo=UTC)),
        ("2025-03-01T08:30:05.5Z", datetime(2025, 3, 1, 8, 30, 5, 500_000, tzinfo=UTC)),
        ("2025-03-01T08:30:05.123456789Z", datetime(2025, 3, 1, 8, 30, 5, 123_456, tzinfo=UTC)),
    ],
)
def test_parse_timestamp_reads_every_form(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        None,
        20250301,
        "",
        "2025-03-01",
        "2025-03-01T08:30:05",
        "2025-02-30T08:30:05Z",
        "2025-03-01T25:30:05Z",
        "2025-03-01 08:30:05Z",
        "2025-03-01T08:30:05z",
        "20250301T083005Z",
        "0001-01-01T00:00:00+14:00",
        "９９９９-03-01T08:30:05Z",
        "2025-03-01T08:30:05Z\n",
    ],
)
def test_parse_timestamp_refuses_other_text(text: object) -> None:
    with pytest.raises(TimestampInvalid):
        parse_timestamp(text)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)))  # noqa: DTZ001 - bound
def test_timestamps_come_back_to_the_second(moment: datetime) -> None:
    assert parse_timestamp(format_timestamp(moment)) == moment.replace(microsecond=0)
