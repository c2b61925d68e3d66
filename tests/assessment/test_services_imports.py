"""Question files into banks and drafts: what is taken scores as its source says."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from apps.assessment.models import BankItem, QuestionBank
from apps.assessment.questions.items import ItemSpec, JsonValue
from apps.assessment.rules.scoring import score_response
from apps.assessment.selectors.papers import item_spec
from apps.assessment.services.imports import (
    FileNotReadable,
    ImportedQuestion,
    import_gift,
    import_gift_into_version,
    preview_gift,
)
from apps.contacts.models import AdminAction
from apps.core.versions import publish
from tests.assessment.factories import draft_assessment, published_assessment
from tests.programs.factories import AUTHORED

pytestmark = pytest.mark.django_db

SAMPLES = Path(
    os.environ.get("ASSAY_SAMPLES", Path(__file__).resolve().parents[3] / "shared" / "samples")
)
GIFT = b"""$CATEGORY: geo/europe

// [id:cap-1] [tag:easy]
::Capital:: Capital of France? {=Paris#Yes. ~%25%Lyon#Big, but no. ~Rome ####It is on the Seine.}

::Primes:: Which are prime? {~%50%2 ~%50%3 ~%-50%4 ~%-50%6}

::Earth:: The earth is round. {T#Sail on.#Right.}

::Pi:: Pi to two places? {#=3.14:0.005#Good =%50%3..3.5#Nearly}

::Colour:: Name of the spectrum? {=colo*r =%50%hue}

::Causes:: Why did it rain? {}

::Pairs:: Match. {=one -> 1 =two -> 2}

::Loss:: Careful. {=right ~%-50%wrong}

::Broken:: No end {=a

This is only a text.
"""


@pytest.fixture
def bank() -> QuestionBank:
    return QuestionBank.objects.create(slug="geo", title="Geography")


def outcomes(questions: tuple[ImportedQuestion, ...]) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.outcome, one.title, one.code) for one in questions]


EXPECTED = [
    (4, "imported", "Capital", ""),
    (6, "imported", "Primes", ""),
    (8, "imported", "Earth", ""),
    (10, "imported", "Pi", ""),
    (12, "imported", "Colour", ""),
    (14, "imported", "Causes", ""),
    (16, "refused", "Pairs", "unsupported-kind"),
    (18, "refused", "Loss", "fraction-range"),
]


def specs(bank: QuestionBank) -> dict[str, ItemSpec]:
    """Return the bank's items as a published version has them."""
    draft = draft_assessment(())
    draft.definition.scoring_model = "mixed"
    draft.definition.save()
    import_gift_into_version(version=draft, bank=bank, data=GIFT, actor=None)
    publish(version=draft, actor=None, at=AUTHORED)
    return {item.key: item_spec(item) for item in draft.items.all()}


def test_import_gift_reports_every_question(bank: QuestionBank) -> None:
    report = import_gift(bank=bank, data=GIFT, actor=None, filename="geo.gift")

    assert outcomes(report.questions)[:8] == EXPECTED
    assert [one.outcome for one in report.questions[8:]] == ["refused", "refused"]
    assert BankItem.objects.count() == 6
    assert AdminAction.objects.get(action="assessment.bank_imported").details == {
        "file": "geo.gift",
        "outcomes": {
            "imported": 6,
            "imported-with-changes": 0,
            "refused": 4,
            "unchanged": 0,
        },
    }


def test_import_gift_keeps_where_a_question_came_from(bank: QuestionBank) -> None:
    import_gift(bank=bank, data=GIFT, actor=None, filename="geo.gift")

    item = BankItem.objects.get(key="capital")
    assert (item.title, item.category, item.tags) == ("Capital", "geo/europe", ["easy"])
    assert item.source == {
        "format": "gift",
        "file": "geo.gift",
        "line": 4,
        "external_id": "cap-1",
        "digest": item.source["digest"],
    }
    assert item.prompt_markdown == "Capital of France?"
    assert item.feedback_markdown == "It is on the Seine."


@pytest.mark.parametrize(
    ("key", "value", "share"),
    [
        ("capital", "o1", "1"),
        ("capital", "o2", "0.25"),
        ("capital", "o3", "0"),
        ("primes", ["o1", "o2"], "1"),
        ("primes", ["o1"], "0.5"),
        ("primes", ["o1", "o2", "o3", "o4"], "0"),
        ("primes", ["o3", "o4"], "0"),
        ("earth", True, "1"),
        ("earth", False, "0"),
        ("pi", "3.14", "1"),
        ("pi", "3.2", "0.5"),
        ("pi", "4", "0"),
        ("colour", "Colour", "1"),
        ("colour", "hue", "0.5"),
    ],
)
def test_import_gift_scores_as_the_file_says(
    bank: QuestionBank, key: str, value: JsonValue, share: str
) -> None:
    item = specs(bank)[key]

    assert score_response(item, value).score == Decimal(share) * item.points


def test_import_gift_again_takes_nothing_twice(bank: QuestionBank) -> None:
    import_gift(bank=bank, data=GIFT, actor=None)

    again = import_gift(bank=bank, data=GIFT, actor=None)

    assert (again.count("unchanged"), again.count("imported")) == (6, 0)
    assert BankItem.objects.count() == 6


def test_import_gift_takes_a_repeated_question_once_and_numbers_equal_titles(
    bank: QuestionBank,
) -> None:
    data = b"::Q:: One? {T}\n\n::Q:: One? {T}\n\n::Q:: Two? {F}\n"

    report = import_gift(bank=bank, data=data, actor=None)

    assert [one.outcome for one in report.questions] == ["imported", "unchanged", "imported"]
    assert sorted(BankItem.objects.values_list("key", flat=True)) == ["q", "q-2"]


def test_preview_gift_tells_the_same_and_writes_nothing(bank: QuestionBank) -> None:
    preview = preview_gift(bank=bank, data=GIFT)

    assert outcomes(preview.questions)[:8] == EXPECTED
    assert not BankItem.objects.exists()
    assert preview == import_gift(bank=bank, data=GIFT, actor=None)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\x00\x01\x02"])
def test_import_gift_refuses_a_file_without_a_question(bank: QuestionBank, data: bytes) -> None:
    try:
        report = import_gift(bank=bank, data=data, actor=None)
    except FileNotReadable:
        return
    assert {one.outcome for one in report.questions} == {"refused"}
    assert not BankItem.objects.exists()


def test_import_gift_into_version_adds_the_new_questions(bank: QuestionBank) -> None:
    draft = draft_assessment()

    report, items = import_gift_into_version(
        version=draft, bank=bank, data=GIFT, actor=None, filename="geo.gift"
    )

    assert report.count("imported") == len(items) == 6
    assert [item.key for item in items] == [
        "capital-2",
        "primes-2",
        "earth-2",
        "pi-2",
        "colour",
        "causes",
    ]
    assert [item.position for item in items] == [5, 6, 7, 8, 9, 10]
    assert published_assessment(slug="unrelated").items.count() == 4


def test_import_gift_into_version_copies_what_the_bank_had_already_but_once(
    bank: QuestionBank,
) -> None:
    import_gift(bank=bank, data=GIFT, actor=None)
    draft = draft_assessment()

    _, first = import_gift_into_version(version=draft, bank=bank, data=GIFT, actor=None)
    _, again = import_gift_into_version(version=draft, bank=bank, data=GIFT, actor=None)

    assert (len(first), again) == (6, [])
    assert {item.bank_item_id for item in first} == set(
        BankItem.objects.values_list("id", flat=True)
    )


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no samples at {SAMPLES} (set ASSAY_SAMPLES)")
def test_import_gift_takes_the_sample_files(bank: QuestionBank) -> None:
    refused = {}
    for path in sorted((SAMPLES / "gift").glob("*.gift")):
        report = preview_gift(bank=None, data=path.read_bytes())
        codes = [one.code for one in report.questions if one.outcome == "refused"]
        if codes:
            refused[path.name] = codes
        import_gift(bank=bank, data=path.read_bytes(), actor=None, filename=path.name)

    assert refused == {
        "descriptionTitleEscapedColon.gift": ["asks-nothing"],
        "markdown.gift": ["asks-nothing"] * 4,
        "totara_moodle_match.gift": ["unsupported-kind"],
    }
    for item in BankItem.objects.all():
        assert item.read_key()
