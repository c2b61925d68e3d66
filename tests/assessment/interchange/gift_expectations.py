"""The samples' expected parses, said in our own words.

The JSON beside each sample comes from another parser (GIFT-grammar-PEG.js). It differs from
the GIFT documentation, and so from us, in three ways that `comparable` and
`expected_items` level out:

- it folds white space in texts that are not HTML or Markdown;
- it puts a space on both sides of the blank in a sentence;
- it gives the first feedback of a TRUE question to the learner who answered "true". The
  documentation (and Moodle, whose files these are) gives it to the one who was wrong.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from apps.assessment.interchange.items import (
    BLANK,
    Answers,
    Choices,
    Item,
    ItemKind,
    MatchPair,
    NumericAnswer,
    NumericAnswers,
    Option,
    Pairs,
    RichText,
    TextAnswer,
    TextAnswers,
    TextFormat,
    TrueFalse,
)

SAMPLES = (
    Path(os.environ.get("ASSAY_SAMPLES", Path(__file__).parents[3].parent / "shared" / "samples"))
    / "gift"
)

_ONE_THIRD = Decimal("33.33333")


def sample_names() -> list[str]:
    return sorted(path.stem for path in SAMPLES.glob("*.gift"))


def expected_of(name: str) -> tuple[tuple[str, ...], tuple[Item, ...]]:
    """Return the categories and items that the sample's JSON promises."""
    entries = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"), parse_float=Decimal)
    entries = entries if isinstance(entries, list) else [entries]
    categories = tuple(entry["title"] for entry in entries if entry["type"] == "Category")
    return categories, tuple(_item(entry) for entry in entries if entry["type"] != "Category")


def comparable(item: Item) -> Item:
    """Return the item with white space and blanks as the samples' parser writes them."""
    if item.blank_at is not None:
        text = item.prompt.text
        head, tail = text[: item.blank_at], text[item.blank_at + len(BLANK) :]
        spaced = f"{head.rstrip()} {BLANK} {tail.lstrip()}".strip()
        item = replace(
            item,
            prompt=replace(item.prompt, text=spaced),
            blank_at=spaced.index(BLANK, len(head.rstrip())),
        )
    folded = _folded(item)
    assert isinstance(folded, Item)
    return folded


def _folded(value: object) -> object:
    if isinstance(value, RichText):
        exact = value.format in (TextFormat.HTML, TextFormat.MARKDOWN)
        return value if exact else replace(value, text=" ".join(value.text.split()))
    if isinstance(value, tuple):
        return tuple(_folded(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{field.name: _folded(getattr(value, field.name)) for field in fields(value)}
        )
    return value


def _item(entry: dict[str, Any]) -> Item:
    kind, answers = _answers(entry)
    stem = _rich(entry["stem"])
    assert stem is not None
    return Item(
        kind=kind,
        prompt=stem,
        answers=answers,
        title=entry["title"],
        blank_at=stem.text.index(BLANK) if entry["hasEmbeddedAnswers"] else None,
        general_feedback=_rich(entry.get("globalFeedback")),
        external_id=entry["id"],
        tags=tuple(entry["tags"] or ()),
    )


def _answers(entry: dict[str, Any]) -> tuple[ItemKind, Answers | None]:
    match entry["type"]:
        case "Description":
            return ItemKind.DESCRIPTION, None
        case "Essay":
            return ItemKind.ESSAY, None
        case "TF":
            return ItemKind.TRUE_FALSE, _true_false(entry)
        case "MC":
            single = any(choice["isCorrect"] for choice in entry["choices"])
            kind = ItemKind.MULTIPLE_CHOICE if single else ItemKind.MULTIPLE_RESPONSE
            return kind, Choices(tuple(_options(entry["choices"])))
        case "Short":
            return ItemKind.SHORT_TEXT, TextAnswers(tuple(_texts(entry["choices"])))
        case "Matching":
            return ItemKind.MATCHING, Pairs(tuple(_pairs(entry["matchPairs"])))
        case _:
            return ItemKind.NUMERIC, NumericAnswers(tuple(_numbers(entry["choices"])))


def _true_false(entry: dict[str, Any]) -> TrueFalse:
    when_true, when_false = _rich(entry["trueFeedback"]), _rich(entry["falseFeedback"])
    if entry["isTrue"]:
        when_true, when_false = when_false, when_true
    return TrueFalse(entry["isTrue"], true_feedback=when_true, false_feedback=when_false)


def _options(choices: list[dict[str, Any]]) -> Iterator[Option]:
    for choice in choices:
        text = _rich(choice["text"])
        assert text is not None
        yield Option(text, _fraction(choice), _rich(choice["feedback"]))


def _texts(choices: list[dict[str, Any]]) -> Iterator[TextAnswer]:
    for choice in choices:
        yield TextAnswer(choice["text"]["text"], _fraction(choice), _rich(choice["feedback"]))


def _pairs(pairs: list[dict[str, Any]]) -> Iterator[MatchPair]:
    for pair in pairs:
        prompt = _rich(pair["subquestion"])
        assert prompt is not None
        yield MatchPair(prompt, pair["subanswer"])


def _numbers(choices: dict[str, Any] | list[dict[str, Any]]) -> Iterator[NumericAnswer]:
    if isinstance(choices, dict):
        choices = [{"isCorrect": True, "weight": None, "text": choices, "feedback": None}]
    for choice in choices:
        written, rest = choice["text"], (_fraction(choice), _rich(choice["feedback"]))
        yield _number(written, *rest)


def _number(written: dict[str, Any], fraction: Decimal, feedback: RichText | None) -> NumericAnswer:
    if written["type"] == "high-low":
        low, high = Decimal(written["numberLow"]), Decimal(written["numberHigh"])
        return NumericAnswer(low, high, fraction, feedback=feedback)
    value = Decimal(written["number"])
    tolerance = Decimal(written["range"]) if written["type"] == "range" else None
    margin = tolerance or Decimal(0)
    return NumericAnswer(
        value - margin,
        value + margin,
        fraction,
        value=value,
        tolerance=tolerance,
        feedback=feedback,
    )


def _fraction(choice: dict[str, Any]) -> Decimal:
    if choice["weight"] is None:
        return Decimal(1 if choice["isCorrect"] else 0)
    weight = Decimal(choice["weight"])
    return Decimal("0.3333333") if weight == _ONE_THIRD else weight / 100


def _rich(text: dict[str, str] | None) -> RichText | None:
    return None if text is None else RichText(text["text"], TextFormat(text["format"]))
