"""Each defence keeps something from a judge that obeys what it reads."""

import pytest

from bench.attack_defences import SET_UPS, outcomes
from streams.judge.attack.measure import Outcome
from streams.judge.attack.suite import Place


async def moved(set_up: str) -> list[Outcome]:
    """The attacks behind an answer that changed the scripted judge's verdict."""
    tried = await outcomes("credulous", SET_UPS[set_up], Place.AFTER, count=20, repeats=1)
    assert not any(one.result == "left_out" for one in tried)
    return [one for one in tried if one.result != "held"]


async def test_all_defences_together_leave_nothing_to_obey() -> None:
    assert await moved("all defences") == []


@pytest.mark.parametrize(
    ("set_up", "family"),
    [
        ("without the nonce", "delimiter_forging"),
        ("without neutralising", "role_header"),
        ("instruction before the data", "fake_verdict"),
    ],
)
async def test_without_one_of_them_its_family_gets_through(set_up: str, family: str) -> None:
    assert family in {one.family for one in await moved(set_up)}


async def test_with_none_an_attack_that_speaks_of_itself_wins() -> None:
    won = {one.family for one in await moved("none") if one.result == "won"}
    assert "self_praise" in won
