"""Tokens per accepted preference beside judging every pair twice with a full chain of thought.

    python -m bench.judge_tokens [--prompts 120] [--chain-tokens 200] [--json]

Harbor's policy answers questions, as in the demo; sample, verify, pair, judge and filter run over
the answers. The naive judge sees the same candidate sets: every pair that the pair stage makes
without a verifier, in both orders, in the same prompts, with a chain of `--chain-tokens` before
each verdict. That length is an assumption, so the table also has the naive judge with answers no
longer than Harbor's judge writes. Every naive pair counts as accepted, which it would not be.

The panel is Harbor's judge read once by its probabilities, and, where that is not sure, five votes
drawn from it in each order. Tokens are the judge's own.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from transformers import AutoTokenizer

from examples.harbor.demo.incoming import production
from examples.harbor.demo.sizes import QUICK
from examples.harbor.demo.workspace import lay_out
from examples.harbor.judge.model import CHECKPOINT, MAX_OPINION_TOKENS, rendered
from examples.harbor.judge.train import RUBRIC
from examples.harbor.policy import CHECKPOINT as POLICY
from schemas.events import (
    CandidateSet,
    Comparison,
    Completion,
    Event,
    Judgment,
    Preference,
    Verification,
)
from schemas.records import Order, Outcome, VerifiedCandidate
from streams.filter import FilterStage
from streams.inference.chat import ChatModel
from streams.inference.in_process import InProcessModel
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.panel import Panel
from streams.judge.rubric import Rubric, load_rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.wording import system_text
from streams.local import run_local
from streams.pair import PairStage
from streams.pipeline import Pipeline, load_pipeline
from streams.sample import SampleStage
from streams.stage import Stage
from streams.verify.stage import VerifyStage

_SETTLED_MARGIN: Final = 2.0
_VOTES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one way of judging took. ``shared`` input tokens are the system message's, the same in
    every call, which a server with a prefix cache reads once.
    """

    way: str
    pairs: int
    calls: int
    input_tokens: int
    shared: int
    output_tokens: int
    accepted: int

    @property
    def per_accepted(self) -> float:
        """All tokens of an accepted preference."""
        return (self.input_tokens + self.output_tokens) / self.accepted

    @property
    def fresh_per_accepted(self) -> float:
        """The same without what a prefix cache has read before."""
        return self.per_accepted - self.shared / self.accepted


def panel(*, cascade: bool) -> Panel:
    """Harbor's judge read by its probabilities, and votes drawn from it."""
    judge = {"model": f"path:{CHECKPOINT}", "rubric": RUBRIC, "max_tokens": MAX_OPINION_TOKENS}
    settled = {"first": "read", "settled_margin": _SETTLED_MARGIN}
    return Panel.model_validate(
        {
            "id": "harbor-cascade",
            "version": "1",
            "members": [
                judge | {"name": "read", "top_logprobs": 8},
                judge | {"name": "drawn", "samples": _VOTES, "temperature": 0.7},
            ],
            "cascade": settled if cascade else None,
        }
    )


async def through(stages: Sequence[Stage[Any]], events: Iterable[Event]) -> list[Event]:
    """Everything that the stages make of the events; they are closed."""
    try:
        run = await run_local(stages, events, concurrency=32)
    finally:
        for stage in stages:
            await stage.aclose()
    return [event for made in run.outputs.values() for event in made]


def judging(pipeline: Pipeline, rubric: Rubric, *, cascade: bool) -> Sequence[Stage[Any]]:
    """Judge and filter as they run on Kafka."""
    file = panel(cascade=cascade)
    model: ChatModel = InProcessModel(CHECKPOINT)
    members = [Member(one, rubric, model, name=one.name) for one in file.members]
    judge = JudgeStage(JudgeSettings(panel=file.ref), Judges(members, file))
    return (judge, FilterStage(pipeline.filter))


def spent(way: str, events: Sequence[Event], shared: int) -> Spent:
    """What the judgments among the events took, and what became of them."""
    judgments = [event for event in events if isinstance(event, Judgment)]
    opinions = [opinion for judgment in judgments for opinion in judgment.opinions]
    return Spent(
        way=way,
        pairs=len(judgments),
        calls=len(opinions),
        input_tokens=sum(opinion.input_tokens or 0 for opinion in opinions),
        shared=shared * len(opinions),
        output_tokens=sum(opinion.output_tokens or 0 for opinion in opinions),
        accepted=sum(isinstance(event, Preference) for event in events),
    )


async def naive(
    way: str, sets: Iterable[CandidateSet], pipeline: Pipeline, rubric: Rubric, chain_tokens: float
) -> Spent:
    """Every pair of unverified candidates in both orders, reasoning before each verdict."""
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT, local_files_only=True)
    member = Member(panel(cascade=False).members[0], rubric, InProcessModel(CHECKPOINT))
    stage, calls, read, pairs = PairStage(pipeline.pair), 0, 0, 0
    shared = system_tokens(rubric)
    for one in sets:
        unverified = tuple(
            VerifiedCandidate(candidate=each, outcome=Outcome.UNDECIDED) for each in one.candidates
        )
        event = Verification(**one.model_dump(exclude={"candidates"}), candidates=unverified)
        for comparison in await stage(event):
            if not isinstance(comparison, Comparison):
                continue
            pairs += 1
            for order in Order:
                prompt = member.prompt(comparison, rubric, order)
                ids = tokenizer(rendered(tokenizer, prompt), add_special_tokens=False)["input_ids"]
                read, calls = read + len(ids), calls + 1
    await member.aclose()
    return Spent(
        way=way,
        pairs=pairs,
        calls=calls,
        input_tokens=read,
        shared=shared * calls,
        output_tokens=round(calls * chain_tokens),
        accepted=pairs,
    )


def system_tokens(rubric: Rubric) -> int:
    """Tokens of the system message, which stands first in every call."""
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT, local_files_only=True)
    return len(tokenizer(system_text(rubric), add_special_tokens=False)["input_ids"])


async def measured(completions: Sequence[Completion], chain_tokens: float) -> list[Spent]:
    """Every way of judging the same traffic."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = lay_out(Path(folder) / "work", 0)
        pipeline = load_pipeline(workspace.project)
        rubric = load_rubric(workspace.project, RUBRIC)
        stages = (
            SampleStage(
                pipeline.sample.model_copy(update={"share": 1.0}), [InProcessModel(POLICY)]
            ),
            VerifyStage(pipeline.verify, workspace.project),
            PairStage(pipeline.pair),
        )
        events = await through(stages, completions)
    sets = [event for event in events if isinstance(event, CandidateSet)]
    comparisons = [event for event in events if isinstance(event, Comparison)]
    whole = await through(judging(pipeline, rubric, cascade=False), comparisons)
    settled = await through(judging(pipeline, rubric, cascade=True), comparisons)
    opinions = [o for event in settled if isinstance(event, Judgment) for o in event.opinions]
    written = fmean(opinion.output_tokens or 0 for opinion in opinions)
    shared = system_tokens(rubric)
    return [
        await naive(f"naive, chain of {chain_tokens:g}", sets, pipeline, rubric, chain_tokens),
        await naive(f"naive, answers of {written:.0f}", sets, pipeline, rubric, written),
        spent("verifier, then panel", whole, shared),
        spent("verifier, then cascade", settled, shared),
    ]


def _lines(found: Sequence[Spent]) -> Iterator[str]:
    yield (
        f"{'':26} {'pairs':>6} {'calls':>6} {'in':>9} {'out':>8} {'accepted':>8} "
        f"{'tokens':>8} {'fresh':>8}   of the first"
    )
    first = found[0]
    for one in found:
        yield (
            f"{one.way:26} {one.pairs:6} {one.calls:6} {one.input_tokens:9} {one.output_tokens:8} "
            f"{one.accepted:8} {one.per_accepted:8.1f} {one.fresh_per_accepted:8.1f}   "
            f"{one.per_accepted / first.per_accepted - 1:+.1%}, with prefix reuse "
            f"{one.fresh_per_accepted / first.per_accepted - 1:+.1%}"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--prompts", type=int, default=120, help="questions that are asked")
    parser.add_argument("--chain-tokens", type=float, default=200, help="of the naive judge")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    sizes = replace(QUICK, prompts=options.prompts, users=1)
    policy = InProcessModel(POLICY)
    with asyncio.Runner() as runner:
        answered = [
            event
            for batch in production(policy, sizes, runner)
            for event in batch
            if isinstance(event, Completion)
        ]
        runner.run(policy.aclose())
        found = runner.run(measured(answered, options.chain_tokens))
    if options.as_json:
        per = ({"per_accepted": o.per_accepted, "fresh": o.fresh_per_accepted} for o in found)
        rows = [asdict(one) | figures for one, figures in zip(found, per, strict=True)]
        sys.stdout.write(json.dumps(rows) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(found)) + "\n")


if __name__ == "__main__":
    main()
