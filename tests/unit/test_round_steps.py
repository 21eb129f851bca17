"""How a round asks policies: by what it is given, one after the other, known by their weights."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import CandidateSet, Event, Judgment
from schemas.records import (
    Expectation,
    ExpectationKind,
    Outcome,
    Purpose,
    VerifiedCandidate,
    Winner,
)
from streams.discard import discard
from streams.inference.chat import as_messages
from streams.inference.in_process import InProcessModel
from streams.sample import SampleSettings
from tests.events import NOON, comparison, judgment
from tests.preferences import human, preference
from tests.unit.inference_fixtures import CONTEXT_TOKENS, save_tiny_model
from tests.unit.test_round_job import elsewhere, job_in
from trainer.anchor_wins import WinRate
from trainer.fresh_sets import LocalModel, OpenPolicy, in_process
from trainer.local_topics import LocalTopics
from trainer.prompts import EvaluationPrompt
from trainer.round_steps import Asking, RoundSteps

PROMPTS = [
    EvaluationPrompt(
        prompt_id=f"p{number}",
        messages=as_messages([("user", f"how many in region {number}?")]),
        expectations=(Expectation(kind=ExpectationKind.REFERENCE_TEXT, spec="12"),),
    )
    for number in range(3)
]


class Ends:
    """The stage after sampling, where these tests end."""

    name = "verify"
    config_hash = ""

    async def __call__(self, event: CandidateSet) -> Sequence[Event]:
        return [discard(event, self.name, self.config_hash, ["test_ends"])]

    async def aclose(self) -> None: ...


class Opener:
    """Opens policies in this process, and notes what happens to them."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def __call__(self, folder: Path) -> LocalModel:
        noted = self.noted
        noted.append(f"open {folder.name}")

        class Noting(InProcessModel):
            async def aclose(self) -> None:
                await super().aclose()
                noted.append(f"close {self.model}")

        return Noting(folder, threads=1)


def compared(
    folder: Path,
    policy: Path,
    reference: Path,
    anchors: Sequence[EvaluationPrompt],
    open_policy: OpenPolicy,
    judge: str | None = None,
    logged: Sequence[Event] = (),
) -> tuple[WinRate, list[CandidateSet]]:
    """What a round finds, and the sets that it makes of greedy answers on the anchors."""
    asking = Asking(
        workload_id="shop",
        sampling=SampleSettings(max_tokens=40),
        temperature=0.0,
        anchors=anchors,
        clock=lambda: NOON,
        open_policy=open_policy,
        judge_config_hash=judge,
    )
    _, around = job_in(folder)
    with asyncio.Runner() as runner:
        log = LocalTopics(Settings(data_dir=folder), [Ends()], runner)
        log.remember(logged)
        steps = RoundSteps(log, around.people, asking, reference, lambda _: None)
        return steps.judge_wins(policy), log.events(CandidateSet)


def test_policies_are_open_one_after_the_other(tmp_path: Path) -> None:
    ours, reference = (save_tiny_model(tmp_path / name, seed) for seed, name in enumerate("ab"))
    opener = Opener()
    _, sets = compared(tmp_path, ours, reference, PROMPTS, opener)
    assert opener.noted == ["open a", "close a", "open b", "close b"]
    assert [one.prompt_id for one in sets] == [one.prompt_id for one in PROMPTS]
    assert {one.purpose for one in sets} == {Purpose.CANARY}
    writers = {tuple(side.checkpoint for side in one.candidates) for one in sets}
    assert writers == {tuple(InProcessModel(one).fingerprint for one in (ours, reference))}


LONG = PROMPTS[0].model_copy(
    update={"prompt_id": "long", "messages": as_messages([("user", "x" * CONTEXT_TOKENS)])}
)


def test_an_anchor_beyond_the_context_is_counted_and_the_others_are_compared(
    tmp_path: Path,
) -> None:
    ours, reference = (save_tiny_model(tmp_path / name, seed) for seed, name in enumerate("ab"))
    wins, sets = compared(tmp_path, ours, reference, [LONG, *PROMPTS], in_process)
    assert wins.unanswered == 1
    assert [one.prompt_id for one in sets] == [one.prompt_id for one in PROMPTS]
    with pytest.raises(ConfigError, match="none of 1 anchor prompts can be answered by both"):
        compared(tmp_path, ours, reference, [LONG], in_process)


def test_verdicts_of_a_former_judge_or_at_another_temperature_do_not_count(tmp_path: Path) -> None:
    """As where the rubric changed while people labelled, or between two searches for beta."""
    ours, reference = (save_tiny_model(tmp_path / name, seed) for seed, name in enumerate("ab"))
    _, (asked, *_) = compared(tmp_path, ours, reference, PROMPTS, in_process)
    policy, other = (
        VerifiedCandidate(candidate=one, outcome=Outcome.PASSED) for one in asked.candidates
    )
    warmer = other.model_copy(
        update={"candidate": other.candidate.model_copy(update={"completion_id": "at 0.7"})}
    )

    def verdict(name: str, winner: Winner, judge: str, other: VerifiedCandidate) -> Judgment:
        pair = comparison(policy, other, event_id=name, purpose=asked.purpose)
        return judgment(pair, event_id=name, winner=winner, judge_config_hash=judge)

    former = verdict("former", Winner.B, "before", other)
    logged = [
        verdict("now", Winner.A, "now", other),
        former,
        verdict("warmer", Winner.B, "now", warmer),
    ]
    wins, _ = compared(tmp_path, ours, reference, PROMPTS, in_process, "now", logged)
    assert (wins.n, wins.value) == (1, 1.0)
    with pytest.raises(ConfigError, match="not by the project's judge as it is now"):
        compared(tmp_path, ours, reference, PROMPTS, in_process, "now", [former])


def test_a_rounds_prompt_beyond_the_context_is_counted(tmp_path: Path) -> None:
    _, around = job_in(tmp_path)
    asking = Asking(
        workload_id="shop",
        sampling=SampleSettings(max_tokens=8, generated=1),
        temperature=0.7,
        anchors=(),
        clock=lambda: NOON,
    )
    policy = save_tiny_model(tmp_path / "policy")
    with asyncio.Runner() as runner:
        log = LocalTopics(Settings(data_dir=tmp_path), [Ends()], runner)
        log.remember([human("a")])
        steps = RoundSteps(log, around.people, asking, policy, lambda _: None)
        made = steps.label(policy, [*PROMPTS, LONG], lambda _: frozenset())
    assert made.unanswered == 1
    assert len(log.events(CandidateSet)) == len(PROMPTS)


def test_a_round_takes_its_workloads_pairs(tmp_path: Path) -> None:
    """All human rows of its own, and machine rows of the round's prompts."""
    rows = [human("a"), preference("other round"), human("other round", event_id="people's")]
    _, around = job_in(tmp_path, *rows, *map(elsewhere, rows))
    asking = Asking(
        workload_id="shop",
        sampling=SampleSettings(),
        temperature=0.0,
        anchors=(),
        clock=lambda: NOON,
    )
    policy = save_tiny_model(tmp_path / "policy")
    steps = RoundSteps(around.topics, around.people, asking, policy, lambda _: None)
    made = steps.label(policy, (), lambda _: frozenset()).pairs.manifest
    assert (made.workload_id, made.read, made.rows) == ("shop", 6, 2)
    assert made.removed == {"other_prompt": 1, "other_workload": 3}
    assert (made.counts, made.machine_prompt_ids) == ({"HUMAN": 2}, ())
