"""What somebody answers who knows a given share of a paper. Pure; the same words, the same luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from apps.assessment.questions.items import (
    ChoiceKey,
    EssayKey,
    ItemSpec,
    JsonValue,
    NumericAnswer,
    NumericKey,
    ShortTextKey,
    TrueFalseKey,
)
from apps.assessment.questions.numbers import plain
from apps.assessment.rules.rubrics import LevelChoice, RubricSpec
from apps.assessment.vocabulary import Kind

STRONG_FROM, FAIR_FROM = 0.8, 0.5


def luck(*words: str) -> float:
    """Return a number from 0 up to 1 that depends on the words alone."""
    digest = sha256("|".join(words).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def quality(share: float) -> str:
    """Return how well somebody writes who knows this share: strong, fair or thin."""
    if share >= STRONG_FROM:
        return "strong"
    return "fair" if share >= FAIR_FROM else "thin"


def answers(
    items: Sequence[ItemSpec],
    *,
    share: float,
    writes: float,
    seed: str,
    essays: Mapping[str, Mapping[str, str]],
) -> dict[UUID, JsonValue]:
    """Return item -> answer: `share` of those with a key are answered right, essays as written.

    `essays` is item key -> quality -> text.
    """
    keyed = [item for item in items if not isinstance(item.answer_key, EssayKey)]
    by_luck = sorted(keyed, key=lambda item: luck(seed, item.key))
    known = {item.id for item in by_luck[: round(share * len(keyed))]}
    given: dict[UUID, JsonValue] = {}
    for item in items:
        if isinstance(item.answer_key, EssayKey):
            given[item.id] = essays[item.key][quality(writes)]
        elif item.id in known:
            given[item.id] = right_answer(item)
        else:
            given[item.id] = wrong_answer(item, seed=seed)
    return given


def right_answer(item: ItemSpec) -> JsonValue:
    """Return an answer that earns full marks. Raises ValueError for an essay."""
    match item.answer_key:
        case ChoiceKey(options=options) if item.kind == Kind.MULTIPLE_CHOICE:
            return max(options, key=lambda option: option.fraction).key
        case ChoiceKey(options=options):
            return [option.key for option in options if option.fraction > 0]
        case TrueFalseKey(correct=correct):
            return correct
        case NumericKey(answers=numbers):
            return plain(_inside(max(numbers, key=lambda answer: answer.fraction)))
        case ShortTextKey(answers=texts):
            best = [text for text in texts if text.fraction == 1]
            return best[0].pattern.replace("\\*", "\0").replace("*", "").replace("\0", "*")
    raise ValueError(f"{item.key} has no answer key.")


def wrong_answer(item: ItemSpec, *, seed: str) -> JsonValue:
    """Return an answer that does not earn full marks; some of them earn a part."""
    chance = luck(seed, item.key, "wrong")
    match item.answer_key:
        case ChoiceKey(options=options) if item.kind == Kind.MULTIPLE_CHOICE:
            others = [option.key for option in options if option.fraction < 1]
            return others[int(chance * len(others))]
        case ChoiceKey(options=options):
            right = [option.key for option in options if option.fraction > 0]
            false = [option.key for option in options if option.fraction <= 0]
            some: list[JsonValue] = [*right[:1], *(false[:1] if chance > 0.3 else [])]
            return some
        case TrueFalseKey(correct=correct):
            return not correct
        case NumericKey(answers=numbers):
            near = _near_misses(numbers)
            return plain(near[0] if near and chance < 0.5 else _beyond(numbers))
        case ShortTextKey():
            return "I do not know"
    return ""


def levels(rubric: RubricSpec, *, share: float, seed: str) -> dict[str, LevelChoice]:
    """Return the level of each criterion that work of this quality is given, give or take."""
    chosen = {}
    for criterion in rubric.criteria:
        count = len(criterion.levels)
        felt = share + (luck(seed, criterion.key) - 0.5) * 0.3
        level = criterion.levels[max(0, min(int(felt * count), count - 1))]
        chosen[criterion.key] = LevelChoice(level.key)
    return chosen


def _inside(answer: NumericAnswer) -> Decimal:
    ends = [end for end in (answer.minimum, answer.maximum) if end is not None]
    return sum(ends, Decimal()) / len(ends) if ends else Decimal()


def _near_misses(numbers: Sequence[NumericAnswer]) -> list[Decimal]:
    """Return numbers that earn a part of the marks and not all of them."""
    full = [answer for answer in numbers if answer.fraction == 1]
    return [
        end
        for answer in numbers
        if 0 < answer.fraction < 1
        for end in (answer.minimum, answer.maximum)
        if end is not None and not any(other.holds(end) for other in full)
    ]


def _beyond(numbers: Sequence[NumericAnswer]) -> Decimal:
    ends = [answer.maximum for answer in numbers if answer.maximum is not None]
    return max(ends, default=Decimal()) + 7
