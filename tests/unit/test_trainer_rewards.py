"""Checks as reward functions: what a verdict is worth, and what TRL may pass."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError
from schemas.records import Check, CheckStatus
from streams.verify.check import outcome_of
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verdict
from trainer.rewards import AsyncCheckRewards, CheckRewards, reward_of

FIVE = {"kind": "NUMERIC", "spec": "5", "params": {"kind": "number"}}
LIST = {"kind": "NUMERIC", "spec": "1,2,3,4", "params": {"kind": "list", "extract": "whole"}}
SETTINGS = VerifySettings.model_validate(
    {
        "children": 1,
        "text": [{"name": "cites", "kind": "citations", "hard": True}],
    }
)


def verdict(*checks: tuple[str, str, bool, float | None]) -> Verdict:
    made = tuple(
        Check(name=name, version="1", hard=hard, status=CheckStatus(status), score=score)
        for name, status, hard, score in checks
    )
    return Verdict(checks=made, outcome=outcome_of(made))


@pytest.mark.parametrize(
    ("checks", "reward"),
    [
        ([("a", "PASS", True, None)], 1.0),
        ([("a", "FAIL", True, None)], 0.0),
        ([("a", "FAIL", True, 0.75)], 0.75),
        ([("a", "PASS", True, None), ("b", "FAIL", True, 0.5), ("c", "SKIP", True, None)], 0.5),
        ([("a", "PASS", True, 0.9), ("b", "PASS", True, None)], 0.9),
        ([("a", "PASS", True, None), ("b", "FAIL", False, 0.0)], 1.0),
        ([("a", "PASS", True, None), ("b", "ERROR", True, None)], None),
        ([("a", "INCONCLUSIVE", True, 0.5)], None),
        ([("a", "ERROR", True, None), ("b", "FAIL", True, None)], 0.0),
        ([("a", "PASS", False, 1.0)], None),
        ([("answer_present", "PASS", True, None)], None),
        ([("answer_present", "FAIL", True, None), ("b", "SKIP", True, None)], 0.0),
        ([], None),
    ],
)
def test_a_reward_is_the_least_of_the_hard_checks(
    checks: list[tuple[str, str, bool, float | None]], reward: float | None
) -> None:
    assert reward_of(verdict(*checks)) == reward


@pytest.fixture(scope="module")
def rewards() -> Iterator[CheckRewards]:
    made = CheckRewards(SETTINGS, Path())
    yield made
    made.close()


def test_plain_prompts_and_every_form_of_a_column(rewards: CheckRewards) -> None:
    rows: list[Any] = [[FIVE], json.dumps([FIVE]), [LIST], json.dumps([LIST])]
    found = rewards(
        prompts=["what?"] * 4,
        completions=["it is 5", "it is 6", "1,2,3,4", "1,2,4,3"],
        expectations=rows,
        completion_ids=[[1]] * 4,
        trainer_state=None,
    )
    assert found == [1.0, 0.0, 1.0, 0.5]


def test_keys_that_only_other_rows_have_are_no_parameters(rewards: CheckRewards) -> None:
    padded = {"kind": "NUMERIC", "spec": "5", "params": {"kind": None, "tag": None}}
    assert rewards(["q"], ["5"], expectations=[[padded]]) == [1.0]


def test_conversations(rewards: CheckRewards) -> None:
    prompt = [{"role": "user", "content": "what?"}]
    parts = [{"type": "text", "text": "it is "}, {"type": "text", "text": "5"}]
    completions: list[Any] = [
        [{"role": "assistant", "content": "it is 5"}],
        [{"role": "assistant", "content": parts}],
        [{"role": "assistant", "content": None}],
        [{"role": "assistant", "content": "6"}, {"role": "tool", "content": "5"}],
    ]
    found = rewards([prompt] * 4, completions, expectations=[[FIVE]] * 4)
    assert found == [1.0, 1.0, 0.0, 0.0]


def test_what_is_undecided_is_none(rewards: CheckRewards) -> None:
    unusable = {"kind": "NUMERIC", "spec": "five"}
    assert rewards(["q"] * 2, ["5"] * 2, expectations=[[unusable], [FIVE, unusable]]) == [
        None,
        None,
    ]


def test_the_context_of_each_row_is_its_own(rewards: CheckRewards) -> None:
    passage = {"source": "s", "text": "Refunds are paid within two weeks."}
    answer = '"refunds are paid within two weeks" [1]'
    found = rewards(["q"] * 3, [answer] * 3, context=[[passage], json.dumps([passage]), None])
    assert found == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("column", ["expectations", "context"])
@pytest.mark.parametrize("value", ["{", "5", [{"kind": "NOPE"}], 7])
def test_a_column_of_something_else_names_itself(
    rewards: CheckRewards, column: str, value: Any
) -> None:
    with pytest.raises(ConfigError, match=f"the column {column}"):
        rewards(["q"], ["5"], **{column: [value]})


def test_the_asynchronous_one_gives_the_same_on_any_loop() -> None:
    made = AsyncCheckRewards(SETTINGS, Path())

    async def ask() -> list[float | None]:
        return await made(["q"] * 2, ["5", "6"], expectations=[[FIVE]] * 2)

    try:
        for _ in range(2):  # a loop of its own each time, one sandbox
            assert asyncio.run(ask()) == [1.0, 0.0]
    finally:
        made.close()
        made.close()


def test_the_name_that_trl_logs() -> None:
    from trl.trainer.utils import get_callable_name, is_async_callable

    for kind, is_async in ((CheckRewards, False), (AsyncCheckRewards, True)):
        made = kind(SETTINGS, Path())
        assert get_callable_name(made) == "checks"
        assert is_async_callable(made) is is_async
        made.close()
