from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.interchange.weights import (
    MalformedWeightError,
    is_rounded,
    positive_sum,
    split_weight,
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("plain", (None, "0", "plain")),
        ("%d of %s", (None, "0", "%d of %s")),
        ("100% sure", (None, "0", "100% sure")),
        ("%", (None, "0", "%")),
        ("%50%half", ("%50%", "0.5", "half")),
        ("%-100%no", ("%-100%", "-1", "no")),
        ("%0%", ("%0%", "0", "")),
        ("%12.5%x", ("%12.5%", "0.125", "x")),
        ("%16.66667%x", ("%16.66667%", "0.1666667", "x")),
        ("%16.66%x", ("%16.66%", "0.1666667", "x")),
        ("%-14.29%x", ("%-14.29%", "-0.1428571", "x")),
        ("%33.3%x", ("%33.3%", "0.333", "x")),
    ],
)
def test_split_weight_returns_the_fraction_and_the_rest(
    answer: str, expected: tuple[str | None, str, str]
) -> None:
    weight, fraction, rest = split_weight(answer)

    assert (weight, str(fraction), rest) == expected


@pytest.mark.parametrize(
    "answer", ["%101%a", "%-100.5%a", "%50,5%a", "% 50 %a", "%--50%a", "%+50%a", "%٥٠%a", "%1000%"]
)
def test_split_weight_refuses_what_only_looks_like_a_weight(answer: str) -> None:
    with pytest.raises(MalformedWeightError):
        split_weight(answer)


@given(st.decimals(-100, 100, places=1))
def test_split_weight_keeps_weights_with_one_decimal_exactly(percent: Decimal) -> None:
    assert split_weight(f"%{percent}%x") == (f"%{percent}%", percent / 100, "x")


@given(st.integers(2, 12), st.sampled_from([3, 6, 7, 9]), st.sampled_from([1, -1]))
def test_split_weight_reads_any_rounding_of_a_periodic_fraction_alike(
    decimals: int, parts: int, sign: int
) -> None:
    exact = sign * Decimal(1) / parts
    written = round(exact * 100, decimals)

    _, fraction, _ = split_weight(f"%{written}%x")

    assert fraction == round(exact, 7)


@pytest.mark.parametrize(
    ("written", "fraction", "expected"),
    [
        ("%33.33%", "0.3333333", True),
        ("%33.333%", "0.3333333", False),
        ("%50%", "0.5", False),
    ],
)
def test_is_rounded_follows_moodles_tolerance(written: str, fraction: str, expected: bool) -> None:
    assert is_rounded(written, Decimal(fraction)) is expected


def test_positive_sum_leaves_penalties_out() -> None:
    assert positive_sum([Decimal("0.5"), Decimal(-1), Decimal("0.25")]) == Decimal("0.75")
