"""Tokens per accepted preference beside judging every pair twice with a full chain of thought.

    python -m bench.judge_tokens [--prompts 120] [--chain-tokens 200] [--anchors 160] [--json]

Harbor's policy answers questions, as in the demo; sample, verify, pair, judge and filter run over
the answers. The naive judge sees the same candidate sets: every pair that the pair stage makes
without a verifier, in both orders, in the same prompts, with a chain of `--chain-tokens` before
each verdict. That length is an assumption, so the table also has the naive judge with answers no
longer than Harbor's judge writes. Its verdicts are those of Harbor's judge, and pass the same
filter; a last column counts all its pairs as accepted, which flatters it.

The panel is Harbor's judge read once by its probabilities, and, where that is not sure, five votes
drawn from it in each order. How sure is enough is fitted on `--anchors` of the calibration split
(SIMULATED people), as `prefstream panel fit --cascade` does. Tokens are the judge's own.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from transformers import AutoTokenizer

from consumers.calibration.cascade_fit import CascadeFit, WantedCascade, fit_cascade
from consumers.calibration.judged_anchor import judged_anchor
from examples.harbor.anchors import anchors as calibration_anchors
from examples.harbor.demo.incoming import production
from examples.harbor.demo.sizes import QUICK
from examples.harbor.demo.workspace import lay_out
from examples.harbor.judge.model import CHECKPOINT, MAX_OPINION_TOKENS
from examples.harbor.judge.train import RUBRIC
from examples.harbor.policy import CHECKPOINT as POLICY
from schemas.events import (
    CandidateSet,
    Comparison,
    Completion,
    Discard,
    Event,
    Judgment,
    Preference,
    Verification,
)
from schemas.records import Outcome, VerifiedCandidate, Winner
from streams.filter import FilterStage
from streams.inference.chat import ChatModel
from streams.inference.in_process import InProcessModel
from streams.judge.given_pair import given_pair
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

_FIRST: Final = "read"
_VOTES: Final = 5
_MAX_LOSS: Final = 0.02


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
    discarded: Mapping[str, int]

    @property
    def tokens(self) -> int:
        """All that was read and written."""
        return self.input_tokens + self.output_tokens

    @property
    def per_accepted(self) -> float:
        """All tokens of an accepted preference."""
        return self.tokens / self.accepted

    @property
    def fresh_per_accepted(self) -> float:
        """The same without what a prefix cache has read before."""
        return self.per_accepted - self.shared / self.accepted


def panel() -> Panel:
    """Harbor's judge read by its probabilities, and votes drawn from it."""
    judge = {"model": f"path:{CHECKPOINT}", "rubric": RUBRIC, "max_tokens": MAX_OPINION_TOKENS}
    return Panel.model_validate(
        {
            "id": "harbor-cascade",
            "version": "1",
            "members": [
                judge | {"name": _FIRST, "top_logprobs": 8},
                judge | {"name": "drawn", "samples": _VOTES, "temperature": 0.7},
            ],
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


def judging(pipeline: Pipeline, rubric: Rubric, file: Panel) -> Sequence[Stage[Any]]:
    """Judge and filter as they run on Kafka."""
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
        discarded=Counter(event.reason for event in events if isinstance(event, Discard)),
    )


async def fitted(pipeline: Pipeline, rubric: Rubric, anchors: int) -> CascadeFit:
    """The bound of the cascade, by anchors as they were planted: A, B, or a tie."""
    planted = list(islice(calibration_anchors("calibration"), anchors))
    known = {
        f"anchor {n}": (one, {"A": Winner.B, "B": Winner.A}.get(one.faulty or "", Winner.TIE))
        for n, one in enumerate(planted)
    }
    events = [
        given_pair(name, one.question.text, one.a, one.b, rubric_id=RUBRIC, workload="anchors")
        for name, (one, _) in known.items()
    ]
    judged = await through(judging(pipeline, rubric, panel())[:1], events)
    heard = [
        judged_anchor(known[event.comparison.event_id][1], event.opinions)
        for event in judged
        if isinstance(event, Judgment) and event.opinions
    ]
    return fit_cascade(panel(), WantedCascade(first=_FIRST, max_loss=_MAX_LOSS), heard)


async def unverified(sets: Iterable[CandidateSet], pipeline: Pipeline) -> list[Comparison]:
    """Every pair that the pair stage makes of answers that nobody checked."""
    stage = PairStage(pipeline.pair)
    found: list[Comparison] = []
    for one in sets:
        candidates = tuple(
            VerifiedCandidate(candidate=each, outcome=Outcome.UNDECIDED) for each in one.candidates
        )
        event = Verification(**one.model_dump(exclude={"candidates"}), candidates=candidates)
        found += [made for made in await stage(event) if isinstance(made, Comparison)]
    return found


def with_chain(way: str, judged: Spent, chain_tokens: float) -> Spent:
    """The same calls, each with an answer of ``chain_tokens``."""
    return replace(judged, way=way, output_tokens=round(judged.calls * chain_tokens))


def system_tokens(rubric: Rubric) -> int:
    """Tokens of the system message, which stands first in every call."""
    tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT, local_files_only=True)
    return len(tokenizer(system_text(rubric), add_special_tokens=False)["input_ids"])


async def measured(
    completions: Sequence[Completion], chain_tokens: float, anchors: int
) -> tuple[CascadeFit, list[Spent]]:
    """Every way of judging the same traffic, and the bound that the cascade has."""
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
    shared = system_tokens(rubric)

    async def judged(way: str, file: Panel, comparisons: Iterable[Event]) -> Spent:
        return spent(way, await through(judging(pipeline, rubric, file), comparisons), shared)

    bound = await fitted(pipeline, rubric, anchors)
    alone = panel().model_copy(update={"members": panel().members[:1]})
    cascade = panel().model_copy(update={"cascade": bound.cascade})
    sets = [event for event in events if isinstance(event, CandidateSet)]
    comparisons = [event for event in events if isinstance(event, Comparison)]
    short = await judged("naive, short answers", alone, await unverified(sets, pipeline))
    return bound, [
        with_chain(f"naive, chain of {chain_tokens:g}", short, chain_tokens),
        short,
        await judged("verifier, then panel", panel(), comparisons),
        await judged("verifier, then cascade", cascade, comparisons),
    ]


def _lines(bound: CascadeFit, found: Sequence[Spent]) -> Iterator[str]:
    yield f"cascade: {bound.cascade.settled_margin:.3f} {bound.said}"
    yield (
        f"{'':24} {'pairs':>5} {'calls':>5} {'in':>7} {'out':>7} {'accepted':>8} "
        f"{'tokens':>7} {'fresh':>7}"
    )
    first = found[0]
    for one in found:
        yield (
            f"{one.way:24} {one.pairs:5} {one.calls:5} {one.input_tokens:7} {one.output_tokens:7} "
            f"{one.accepted:8} {one.per_accepted:7.1f} {one.fresh_per_accepted:7.1f}"
        )
        yield f"    discarded {dict(one.discarded)}"
        for what, tokens in (
            ("of the first", first.per_accepted),
            ("of the first, were all its pairs accepted", first.tokens / first.pairs),
        ):
            yield (
                f"    {one.per_accepted / tokens - 1:+.1%}, with prefix reuse "
                f"{one.fresh_per_accepted / tokens - 1:+.1%} {what}"
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--prompts", type=int, default=120, help="questions that are asked")
    parser.add_argument("--chain-tokens", type=float, default=200, help="of the naive judge")
    parser.add_argument("--anchors", type=int, default=160, help="that the cascade is fitted on")
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
        bound, found = runner.run(measured(answered, options.chain_tokens, options.anchors))
    if options.as_json:
        per = ({"per_accepted": o.per_accepted, "fresh": o.fresh_per_accepted} for o in found)
        rows = [asdict(one) | figures for one, figures in zip(found, per, strict=True)]
        sys.stdout.write(json.dumps({"cascade": bound.said, "ways": rows}) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(bound, found)) + "\n")


if __name__ == "__main__":
    main()
