"""Whoever knows a share of a paper answers that share of it right."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.interchange.gift import read_gift
from apps.assessment.questions.items import EssayKey, ItemSpec
from apps.assessment.questions.keys import read_key
from apps.assessment.rules.adoption import adopt
from apps.assessment.rules.responses import check_response
from apps.assessment.rules.rubrics import CriterionSpec, LevelSpec, RubricSpec, rubric_score
from apps.assessment.rules.scoring import score_response
from apps.demo.answers import answers, levels, luck, quality, right_answer, wrong_answer
from apps.demo.content import ORGANIZATIONS
from tests.assessment.specs import VERSION_ID


def paper() -> list[ItemSpec]:
    """Return every question of both banks, without the essays."""
    specs = []
    for plan in ORGANIZATIONS:
        report = read_gift((plan.folder / "questions.gift").read_bytes())
        for question in report.items:
            taken = adopt(question)
            key = read_key(taken.kind, taken.rule, taken.key_data)
            if isinstance(key, EssayKey):
                continue
            number = len(specs) + 1
            specs.append(
                ItemSpec(
                    id=UUID(int=number),
                    version_id=VERSION_ID,
                    key=f"question-{number}",
                    kind=taken.kind,
                    title=taken.title,
                    prompt_markdown=taken.prompt_markdown,
                    points=Decimal(1),
                    position=number,
                    rule=taken.rule,
                    graded_by=taken.graded_by,
                    answer_key=key,
                )
            )
    return specs


PAPER = paper()


@pytest.mark.parametrize("item", PAPER, ids=lambda item: item.title)
def test_right_answer_earns_full_marks(item: ItemSpec) -> None:
    value = check_response(item, right_answer(item)).value

    assert score_response(item, value).score == 1


@given(item=st.sampled_from(PAPER), seed=st.text(max_size=20))
def test_wrong_answer_never_earns_full_marks(item: ItemSpec, seed: str) -> None:
    checked = check_response(item, wrong_answer(item, seed=seed))

    assert checked.fault is None
    assert score_response(item, checked.value).score < 1


@given(share=st.floats(0, 1), seed=st.text(max_size=20))
def test_answers_are_right_for_the_share_that_is_known(share: float, seed: str) -> None:
    given_ = answers(PAPER, share=share, writes=share, seed=seed, essays={})

    right = [item for item in PAPER if score_response(item, given_[item.id]).score == 1]
    assert len(right) == round(share * len(PAPER))


@given(words=st.lists(st.text(max_size=10), min_size=1, max_size=3))
def test_luck_is_a_share_and_follows_from_the_words(words: list[str]) -> None:
    assert 0 <= luck(*words) < 1
    assert luck(*words) == luck(*words)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.95, "strong"), (0.8, "strong"), (0.6, "fair"), (0.3, "thin")]
)
def test_quality_names_how_well_somebody_writes(share: float, expected: str) -> None:
    assert quality(share) == expected


@given(share=st.floats(0, 1), seed=st.text(max_size=20))
def test_levels_choose_one_of_every_criterion(share: float, seed: str) -> None:
    rubric = RubricSpec(
        key="rubric",
        title="Rubric",
        criteria=tuple(
            CriterionSpec(
                key=f"criterion-{count}",
                title="Criterion",
                levels=tuple(LevelSpec(f"level-{n}", "Level", Decimal(n)) for n in range(count)),
            )
            for count in (2, 3, 4)
        ),
    )

    assert 0 <= rubric_score(rubric, levels(rubric, share=share, seed=seed)) <= 6
