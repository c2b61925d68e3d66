"""What the platform itself offers to every organisation: one course, in two versions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from apps.portability.content import (
    Assessment,
    AssessmentContent,
    Course,
    CourseContent,
    Edition,
    Item,
    Module,
    PackageContent,
    Placement,
    Question,
)
from apps.portability.vocabulary import PackageKind

SLUG: Final = "first-aid-basics"
ORIGIN: Final = "first-aid@openlearning.example"
SUMMARY: Final = (
    "The first ten minutes after an accident: look after yourself, call for help, and keep "
    "somebody alive until it arrives."
)
CHANGES: Final = (
    "Call for help before looking for breath, as the resuscitation guidelines now say.\n"
    "New lesson: heavy bleeding. One more question in the check, which now asks for 80 %."
)
_TEXTS: Final = Path(__file__).resolve().parent / "lessons"


def _lesson(key: str, title: str, position: int, minutes: int, file: str = "") -> Item:
    text = (_TEXTS / f"{file or key}.md").read_text(encoding="utf-8")
    return Item(key, title, position, body_markdown=text, estimated_minutes=minutes)


def _choice(key: str, position: int, prompt: str, right: str, *wrong: str) -> Question:
    options = [
        {"key": chr(ord("a") + number), "text": text, "fraction": "1" if number == 0 else "0"}
        for number, text in enumerate((right, *wrong))
    ]
    data: dict[str, Any] = {"options": options}
    return Question(
        key=key,
        kind="multiple_choice",
        position=position,
        title=key.replace("-", " ").capitalize(),
        prompt_markdown=prompt,
        key_data=data,
    )


_QUESTIONS = (
    _choice(
        "first-look",
        1,
        "Somebody lies beside a running machine. What do you do first?",
        "Make sure that it can't hurt you too, and stop it",
        "Pull the person away at once",
        "Look for breath",
        "Fetch the first-aid box",
    ),
    _choice(
        "end-of-call",
        2,
        "Who ends the emergency call?",
        "The person who took it",
        "You, as soon as you have said where you are",
        "Whoever needs the phone",
    ),
    _choice(
        "how-fast",
        3,
        "How often a minute is the chest compressed?",
        "100 to 120 times",
        "60 to 80 times",
        "As often as you breathe",
    ),
)
_BLEEDING = _choice(
    "soaked-pad",
    4,
    "Blood comes through the pad. What now?",
    "Put a second pad on top and press harder",
    "Take the pad off and use a fresh one",
    "Loosen the bandage",
)


def _package(modules: tuple[Module, ...], check: AssessmentContent) -> PackageContent:
    course = Course(
        slug=SLUG,
        title="First Aid: the First Ten Minutes",
        origin=ORIGIN,
        content=CourseContent(SUMMARY, modules),
        description="What everybody at a workplace should be able to do.",
    )
    assessment = Assessment(
        slug="first-aid-check",
        title="First aid: the check",
        origin=ORIGIN,
        course=SLUG,
        editions=(Edition(1, check),),
    )
    return PackageContent(PackageKind.COURSE, SLUG, (course,), (assessment,))


_CHECK = Item(
    "check",
    "The check",
    3,
    "assessment",
    estimated_minutes=5,
    assessment=Placement("first-aid-check"),
)
_SCENE = Module(
    "scene",
    "At the scene",
    1,
    (
        _lesson("look-first", "Look first", 1, 3),
        _lesson("call-for-help", "Call for help", 2, 4),
    ),
)
_FIRST_CHECK = AssessmentContent(pass_percent=Decimal(60), items=_QUESTIONS)

FIRST: Final = _package(
    (
        _SCENE,
        Module(
            "person",
            "The person",
            2,
            (_lesson("not-breathing", "Not breathing", 1, 6), _CHECK),
        ),
    ),
    _FIRST_CHECK,
)
SECOND: Final = _package(
    (
        _SCENE,
        Module(
            "person",
            "The person",
            2,
            (
                _lesson("not-breathing", "Not breathing", 1, 6, "not-breathing-2"),
                _lesson("bleeding", "Heavy bleeding", 2, 5),
                _CHECK,
            ),
        ),
    ),
    replace(_FIRST_CHECK, pass_percent=Decimal(80), items=(*_QUESTIONS, _BLEEDING)),
)
