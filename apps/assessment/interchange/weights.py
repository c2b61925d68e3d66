"""Percent weights of answers, with Moodle's rules for them.

Source: Moodle, `question_bank::fraction_options_full()` (the permitted fractions, 7 decimal
places) and `match_grade_options()` (a weight within 0.00001 of a permitted fraction is it).
"""

import re
from collections.abc import Iterable
from decimal import Decimal

# A sum of permitted fractions may miss 1 by the rounding of each: 9 × 0.1111111.
SUM_TOLERANCE = Decimal("0.00001")
FULL = Decimal(1)
NOTHING = Decimal(0)

_WEIGHT = re.compile(r"%(-?\d{1,3}(?:\.(\d{0,20}))?)%", re.ASCII)
_ALMOST_A_WEIGHT = re.compile(r"%[-+\s\d.,]{0,40}\d[-+\s\d.,]{0,40}%")
# The permitted fractions that have no finite decimal form, so that authors round them.
_PERIODIC = tuple(
    Decimal(text)
    for text in ("0.8333333", "0.6666667", "0.3333333", "0.1666667", "0.1428571", "0.1111111")
)


class MalformedWeightError(Exception):
    """What stands between the percent signs is no percentage from -100 to 100."""


def split_weight(answer: str) -> tuple[str | None, Decimal, str]:
    """Return the weight as written, its fraction and the rest of the answer.

    An answer without a weight gives (None, 0, answer). 33.33 is read as Moodle's 0.3333333:
    any rounding of a periodic permitted fraction to two decimals or more is that fraction.
    Raises MalformedWeightError for what looks like a weight and is none (`%50,5%`, `%150%`);
    Moodle would take some of these as the answer's text.
    """
    match = _WEIGHT.match(answer)
    if match is None:
        almost = _ALMOST_A_WEIGHT.match(answer)
        if almost is not None:
            raise MalformedWeightError(almost.group())
        return None, NOTHING, answer
    percent = Decimal(match.group(1))
    if abs(percent) > 100:
        raise MalformedWeightError(match.group())
    decimals = len(match.group(2) or "")
    return match.group(), _permitted(percent, decimals=decimals), answer[match.end() :]


def is_rounded(written: str, fraction: Decimal) -> bool:
    """Return whether Moodle would have refused `written` as too far from `fraction`."""
    return abs(Decimal(written.strip("%")) / 100 - fraction) >= Decimal("0.00001")


def positive_sum(fractions: Iterable[Decimal]) -> Decimal:
    """Return the sum of the positive fractions: the most that all right options can earn."""
    return sum((fraction for fraction in fractions if fraction > 0), NOTHING)


def _permitted(percent: Decimal, *, decimals: int) -> Decimal:
    fraction = percent / 100
    if decimals >= 2:
        step = Decimal(1).scaleb(-min(decimals, 5) - 2)
        for periodic in _PERIODIC:
            if abs(abs(fraction) - periodic) <= step:
                return periodic.copy_sign(fraction)
    return fraction
