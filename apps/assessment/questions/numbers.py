"""Decimal arithmetic of marks: one working precision inside, one rounding at the end."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

# Scores of items are kept to six places, so that a third of a point is not yet rounded in a way
# that anybody could see; only the percentage of a result is rounded, by the version's policy.
SCORE_PLACES = 6
_SCORE_STEP = Decimal(1).scaleb(-SCORE_PLACES)

# The longest number that is read, in characters and in powers of ten; the sum or difference of
# two such numbers, written out, stays within the longer limit.
MAX_NUMBER_LENGTH = 60
MAX_EXACT_LENGTH = 200
EXACT = Context(prec=MAX_EXACT_LENGTH)


def as_score(value: Decimal) -> Decimal:
    """Return a score in working precision (six places, half up)."""
    return value.quantize(_SCORE_STEP, rounding=ROUND_HALF_UP)


def rounded(value: Decimal, *, places: int) -> Decimal:
    """Return `value` rounded half up to `places` decimals."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def plain(value: Decimal) -> str:
    """Return the one canonical text of a number: no exponent, no trailing zeros, no minus zero."""
    if not value:
        return "0"
    return format(value.normalize(EXACT), "f")


def read_number(text: str, *, longest: int = MAX_NUMBER_LENGTH) -> Decimal | None:
    """Return the finite number that `text` spells in digits, or None.

    A decimal point and an exponent are understood, and so are the signs that keyboards and word
    processors produce for minus. Bounded in length and exponent: hostile input stays cheap.
    """
    cleaned = text.strip().replace("\N{MINUS SIGN}", "-")
    if not cleaned or len(cleaned) > longest or "_" in cleaned or not cleaned.isascii():
        return None
    try:
        number = Decimal(cleaned)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > longest:
        return None
    return number


def read_typed_number(text: str) -> Decimal | None:
    """Return the number a learner typed, or None; a single comma may stand for the decimal point.

    "1,5" is one and a half. "1,234.5" and "1.234,5" are read by nobody alike, so not at all.
    """
    if text.count(",") == 1 and "." not in text:
        return read_number(text.replace(",", "."))
    return read_number(text)
