"""How Harbor's questions are dealt to the rounds."""

from dataclasses import replace

from examples.harbor.demo.sizes import FULL, QUICK, Sizes
from examples.harbor.questions import questions


def dealt(sizes: Sizes, rounds: int) -> list[str]:
    asked = questions("train")
    return [one.id for number in range(1, rounds + 1) for one in asked[sizes.of_round(number)]]


def test_each_round_has_questions_of_its_own() -> None:
    assert len(dealt(FULL, 2)) == len(set(dealt(FULL, 2))) == 300 + 1200
    three = dealt(QUICK, 3)
    assert len(three) == len(set(three)) == 3 * QUICK.prompts


def test_later_rounds_ask_as_many_as_the_first_where_nothing_else_is_said() -> None:
    assert replace(FULL, later_prompts=None).of_round(2) == slice(300, 600)
    assert FULL.of_round(3) == slice(1500, 2700)
