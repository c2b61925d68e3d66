"""A neutral item of an import as our own: scored exactly as its source says, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from apps.assessment.interchange.items import (
    Choices,
    Item,
    ItemKind,
    NumericAnswers,
    RichText,
    TextAnswers,
    TrueFalse,
)
from apps.assessment.questions.items import JsonValue
from apps.assessment.questions.keys import (
    KeyRefused,
    default_grader,
    default_rule,
    key_as_json,
    read_key,
)
from apps.assessment.questions.numbers import plain
from apps.assessment.rules.canonical import canonical_text
from apps.assessment.rules.markup import as_markdown, as_plain_words
from apps.assessment.vocabulary import Kind, Rule

TITLE_LIMIT = 200
CATEGORY_LIMIT = 500

_RULES = {Kind.MULTIPLE_RESPONSE: Rule.FRACTIONS}


class NotAdoptable(ValueError):
    """An item that could not be scored here as its source scores it; a code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class AdoptedQuestion:
    """What a bank item is made from. `digest` names its content: equal ones are one question."""

    kind: str
    title: str
    prompt_markdown: str
    points: Decimal
    key_data: dict[str, JsonValue]
    rule: str
    graded_by: str
    feedback_markdown: str
    category: str
    tags: tuple[str, ...]
    external_id: str

    @property
    def digest(self) -> str:
        content: JsonValue = {
            "kind": self.kind,
            "title": self.title,
            "prompt": self.prompt_markdown,
            "key": self.key_data,
            "rule": self.rule,
            "feedback": self.feedback_markdown,
        }
        return sha256(canonical_text(content).encode()).hexdigest()


def adopt(item: Item) -> AdoptedQuestion:
    """Return the question that `item` becomes, worth one point.

    Raises NotAdoptable: a kind we do not have, a description, an empty prompt, a mark below zero
    (ours are never), or a key that could not earn full marks.
    """
    if item.kind == ItemKind.DESCRIPTION:
        raise NotAdoptable("asks-nothing", "A description asks nothing, so nothing is scored.")
    if item.kind == ItemKind.MATCHING:
        raise NotAdoptable("unsupported-kind", "Matching questions cannot be imported yet.")
    if not item.prompt.text.strip():
        raise NotAdoptable("prompt-empty", "The question has no text.")
    kind = Kind(item.kind.value)
    rule = _RULES.get(kind, default_rule(kind))
    try:
        key = read_key(kind, rule, _key_data(item))
    except KeyRefused as refused:
        fault = refused.faults[0]
        raise NotAdoptable(fault.code, f"{fault.path}: {fault.message}") from refused
    words = as_plain_words(item.prompt, limit=60)
    return AdoptedQuestion(
        kind=kind,
        title=(item.title or words)[:TITLE_LIMIT],
        prompt_markdown=as_markdown(item.prompt),
        points=Decimal(1),
        key_data=key_as_json(key),
        rule=rule,
        graded_by=default_grader(kind),
        feedback_markdown=_optional(item.general_feedback),
        category=(item.category or "")[:CATEGORY_LIMIT],
        tags=item.tags,
        external_id=item.external_id or "",
    )


def _key_data(item: Item) -> dict[str, JsonValue]:
    match item.answers:
        case Choices(options=options):
            return {
                "options": [
                    {
                        "key": f"o{number}",
                        "text": as_markdown(option.text),
                        "fraction": plain(option.fraction),
                        "feedback": _optional(option.feedback),
                    }
                    for number, option in enumerate(options, start=1)
                ]
            }
        case TrueFalse() as answer:
            return {
                "correct": answer.is_true,
                "feedback_true": _optional(answer.true_feedback),
                "feedback_false": _optional(answer.false_feedback),
            }
        case NumericAnswers(answers=numbers):
            return {
                "answers": [
                    {
                        "key": f"a{number}",
                        "minimum": None if answer.low is None else plain(answer.low),
                        "maximum": None if answer.high is None else plain(answer.high),
                        "fraction": plain(answer.fraction),
                        "feedback": _optional(answer.feedback),
                    }
                    for number, answer in enumerate(numbers, start=1)
                ]
            }
        case TextAnswers(answers=patterns, case_sensitive=case_sensitive):
            return {
                "answers": [
                    {
                        "key": f"a{number}",
                        "pattern": answer.pattern,
                        "fraction": plain(answer.fraction),
                        "feedback": _optional(answer.feedback),
                    }
                    for number, answer in enumerate(patterns, start=1)
                ],
                "case_sensitive": case_sensitive,
            }
        case _:
            return {}


def _optional(text: RichText | None) -> str:
    return as_markdown(text) if text else ""
