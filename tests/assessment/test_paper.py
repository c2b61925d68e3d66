from __future__ import annotations

from apps.assessment.questions.items import ChoiceKey
from apps.assessment.rules.paper import item_order, option_order
from apps.assessment.vocabulary import Kind
from tests.assessment.specs import item_spec

ITEMS = [item_spec(Kind.NUMERIC, number=number) for number in (3, 1, 2, 4)]


def test_item_order_is_the_authors_unless_shuffled() -> None:
    assert [item.position for item in item_order(ITEMS, seed="s", shuffle=False)] == [1, 2, 3, 4]


def test_item_order_of_a_seed_never_changes() -> None:
    def order(seed: str) -> list[int]:
        return [item.position for item in item_order(ITEMS, seed=seed, shuffle=True)]

    assert order("8f2c") == [3, 4, 1, 2]
    assert {tuple(order(str(seed))) for seed in range(200)} > {(3, 4, 1, 2), (1, 2, 3, 4)}


def test_option_order_differs_between_items_of_one_paper() -> None:
    first = item_spec(Kind.MULTIPLE_RESPONSE, number=1)
    assert isinstance(first.answer_key, ChoiceKey)
    options = first.answer_key.options

    orders = {
        tuple(
            option.key
            for option in option_order(
                item_spec(Kind.MULTIPLE_RESPONSE, number=number), options, seed="s", shuffle=True
            )
        )
        for number in range(50)
    }

    assert len(orders) > 10
    assert option_order(first, options, seed="s", shuffle=False) == list(options)
