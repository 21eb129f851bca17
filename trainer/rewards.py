"""The checks of the verify stage as reward functions of TRL's GRPO and RLOO trainers.

    rewards = CheckRewards(settings, project_dir)        # or AsyncCheckRewards
    GRPOTrainer(..., reward_funcs=rewards)
    rewards.close()

A row's columns ``expectations`` and ``context`` say what its completions are checked against. The
reward of a completion is in [0, 1], by ``reward_of``.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.errors import ConfigError
from schemas.records import CheckStatus, Expectation, Message, Passage
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verdict, Verifier

Text: TypeAlias = str | Sequence[Mapping[str, Any]]
"""A prompt or completion: plain, or messages of a chat."""

Column: TypeAlias = Sequence[Any] | None

_T = TypeVar("_T")
_EXPECTATIONS: Final = TypeAdapter(tuple[Expectation, ...])
_PASSAGES: Final = TypeAdapter(tuple[Passage, ...])
# Says that something was written, and nothing of whether it is right.
_NO_EVIDENCE: Final = frozenset({"answer_present"})


def reward_of(verdict: Verdict) -> float | None:
    """The least that a hard check gives: 1 where it passed, 0 where it failed, and its own score
    where it has one (fields right, tests passed).

    None where that is not known: a hard check could not decide (ERROR, INCONCLUSIVE) and none
    failed, or nothing but the presence of an answer was checked. What was skipped does not count,
    nor do soft checks.
    """
    gained = []
    undecided = False
    for check in verdict.checks:
        if not check.hard or check.status is CheckStatus.SKIP:
            continue
        if check.status in (CheckStatus.ERROR, CheckStatus.INCONCLUSIVE):
            undecided = True
        elif check.status is CheckStatus.FAIL or check.name not in _NO_EVIDENCE:
            default = 1.0 if check.status is CheckStatus.PASS else 0.0
            gained.append(default if check.score is None else min(1.0, max(0.0, check.score)))
    failed = any(c.hard and c.status is CheckStatus.FAIL for c in verdict.checks)
    if not gained or (undecided and not failed):
        return None
    return min(gained)


class _Checks:
    """A verifier on an event loop of its own, for as long as the reward function lives: its
    children stay warm from step to step, whichever loop or thread asks."""

    def __init__(self, settings: VerifySettings, project_dir: Path) -> None:
        """Raises ConfigError as ``Verifier`` does."""
        self._verifier = Verifier(settings, project_dir)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the sandbox and the thread. May be called twice."""
        if self._loop.is_closed():
            return
        self._run(self._verifier.aclose()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Future[_T] | Any":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _rewards(
        self, prompts: Sequence[Text], completions: Sequence[Text], columns: Mapping[str, Column]
    ) -> list[float | None]:
        expectations = _column(columns.get("expectations"), "expectations", _EXPECTATIONS)
        context = _column(columns.get("context"), "context", _PASSAGES)
        asked: dict[Any, asyncio.Task[Verdict]] = {}
        rewards: list[asyncio.Task[Verdict]] = []
        for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
            wanted = expectations[row] if expectations else ()
            passages = context[row] if context else ()
            messages, output = _messages(prompt), _output(completion)
            # A policy that has converged answers alike: each answer is checked once.
            key = (output, messages, _key(wanted), _key(passages))
            if key not in asked:
                checking = self._verifier.verify_output(
                    output, wanted, messages=messages, context=passages
                )
                asked[key] = asyncio.ensure_future(checking)
            rewards.append(asked[key])
        await asyncio.gather(*asked.values())
        return [reward_of(task.result()) for task in rewards]


class CheckRewards(_Checks):
    """A reward function. TRL logs it as ``rewards/checks``."""

    __name__ = "checks"

    def __call__(
        self, prompts: Sequence[Text], completions: Sequence[Text], **columns: Any
    ) -> list[float | None]:
        """A reward for every completion, None where it is undecided.

        ``expectations`` and ``context`` hold for each row a list of objects, or such a list as
        JSON, or None. Raises ConfigError where a row holds anything else.
        """
        rewards: list[float | None] = self._run(
            self._rewards(prompts, completions, columns)
        ).result()
        return rewards


class AsyncCheckRewards(_Checks):
    """The same as a coroutine: TRL runs it beside other asynchronous reward functions."""

    __name__ = "checks"

    async def __call__(
        self, prompts: Sequence[Text], completions: Sequence[Text], **columns: Any
    ) -> list[float | None]:
        """As ``CheckRewards``, without blocking the loop that it is awaited on."""
        rewards: list[float | None] = await asyncio.wrap_future(
            self._run(self._rewards(prompts, completions, columns))
        )
        return rewards


def _column(values: Column, name: str, rows: TypeAdapter[_T]) -> list[_T] | None:
    if values is None:
        return None
    try:
        return [rows.validate_python(_without_nulls(_parsed(value))) for value in values]
    except (ValidationError, json.JSONDecodeError) as error:
        raise ConfigError(
            f"the column {name} of the training set holds something else: {error}; "
            f"give each row a list of {name} or such a list as JSON"
        ) from None


def _parsed(value: Any) -> Any:
    found = json.loads(value) if isinstance(value, str) else value
    return [] if found is None else found


def _without_nulls(value: Any) -> Any:
    """A table of structs gives every row the keys of all rows, null where the row had none."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(item) for item in value]
    return value


def _messages(prompt: Text) -> tuple[Message, ...]:
    if isinstance(prompt, str):
        return (Message(role="user", content=prompt),)
    return tuple(
        Message(role=message["role"], content=_content(message.get("content")))
        for message in prompt
    )


def _output(completion: Text) -> str:
    if isinstance(completion, str):
        return completion
    return "\n".join(
        _content(message.get("content"))
        for message in completion
        if message.get("role", "assistant") == "assistant"
    )


def _content(content: Any) -> str:
    """The text of a message, also where it comes in typed parts."""
    if isinstance(content, str):
        return content
    parts = content or ()
    return "".join(part.get("text", "") for part in parts if part.get("type") == "text")


def _key(records: Sequence[Expectation] | Sequence[Passage]) -> tuple[str, ...]:
    return tuple(record.model_dump_json() for record in records)
