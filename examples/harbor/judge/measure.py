"""Harbor's judge in figures: `python -m examples.harbor.judge.measure`.

Through the judge stage as it runs on Kafka: both orders, verdict from token probabilities. The
labels of the anchors are SIMULATED. The holdout and the benchmark are never opened here.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from typing import Final

from consumers.calibration.agreement import cohen_kappa, confusion
from examples.harbor import policy
from examples.harbor.anchors import Anchor, anchors
from examples.harbor.judge.exchanges import comparison, exchanges
from examples.harbor.judge.faithfulness import better, citation, findings
from examples.harbor.judge.model import CHECKPOINT, MAX_OPINION_TOKENS
from examples.harbor.judge.train import PROJECT, RUBRIC
from examples.harbor.questions import questions
from infra.settings import Settings
from schemas.events import Comparison, Judgment
from schemas.records import Opinion, Order, Winner
from streams.inference.in_process import InProcessModel
from streams.inference.open_model import open_model
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.rubric import load_rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from streams.judge.strength import Strength, likelihood_ranking, strength

_IN_FLIGHT: Final = 32  # comparisons; each asks two questions
_WINNERS: Final = {"A": Winner.A, "B": Winner.B, "tie": Winner.TIE}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Comparisons with their judgments, and what it took."""

    comparisons: Sequence[Comparison]
    judgments: Sequence[Judgment]
    seconds: float


async def judge(comparisons: Sequence[Comparison], checkpoint: Path) -> Judged:
    """Every comparison through the judge stage, so many at once as a worker would."""
    rubric = load_rubric(PROJECT, RUBRIC)
    settings = JudgeSettings(
        model=f"path:{checkpoint}", rubric=RUBRIC, max_tokens=MAX_OPINION_TOKENS
    )
    model = open_model(f"path:{checkpoint}", Settings())
    stage = JudgeStage(settings, Judges([Member(settings, rubric, model)]))
    slots = asyncio.Semaphore(_IN_FLIGHT)

    async def one(event: Comparison) -> Judgment:
        async with slots:
            (found,) = await stage(event)
        assert isinstance(found, Judgment)
        return found

    started = time.monotonic()
    judgments = await asyncio.gather(*(one(event) for event in comparisons))
    seconds = time.monotonic() - started
    await stage.aclose()
    return Judged(comparisons=comparisons, judgments=judgments, seconds=seconds)


def report(judged: Judged, truth: Sequence[Winner]) -> None:
    """Print what the judge is worth against the truth."""
    found = judged.judgments
    right = [each.winner is winner for each, winner in zip(found, truth, strict=True)]
    opinions = [(opinion, each.comparison) for each in found for opinion in each.opinions]
    masses = [opinion.captured_mass or 0.0 for opinion, _ in opinions]
    swapped = [len({opinion.answer for opinion in each.opinions}) == 1 for each in found]
    single = [
        opinion.answer is winner
        for each, winner in zip(found, truth, strict=True)
        for opinion in each.opinions
    ]
    print(f"  right of three, both orders     {fmean(right):.1%} of {len(right)}")
    print(f"  right of three, one order       {fmean(single):.1%}")
    print(f"  same answer in both orders      {fmean(swapped):.1%}")
    for outcome in (Winner.CONFLICT, Winner.INVALID):
        share = fmean(each.winner is outcome for each in found)
        print(f"  {outcome.value.lower():31} {share:.1%}")
    biases = [each.position_bias or 0.0 for each in found]
    margins = [abs(each.margin or 0.0) for each in found if each.winner in (Winner.A, Winner.B)]
    print(f"  position bias b, mean           {fmean(biases):+.3f} log-odds")
    print(f"  margin |m| of winners, median   {median(margins):.2f} log-odds")
    print(f"  captured mass, mean and least   {fmean(masses):.4f} {min(masses):.4f}")
    print(f"  every filter rightly (un)met    {fmean(_found(*each) for each in opinions):.1%}")
    print(f"  every quote exact               {fmean(_quoted(*each) for each in opinions):.1%}")
    calls = len(opinions)
    tokens = [opinion.input_tokens or 0 for opinion, _ in opinions]
    print(f"  calls a second                  {calls / judged.seconds:.0f}")
    print(f"  prompt tokens, median and most  {median(tokens):.0f} {max(tokens)}")


def anchor_comparison(anchor: Anchor) -> Comparison:
    """An anchor as the judge gets it."""
    return comparison(anchor.question.text, anchor.a, anchor.b)


def report_kappa(judged: Judged, labels: Sequence[Winner]) -> None:
    """Print kappa on the anchors that people did not call a tie; abstentions count as coverage."""
    pairs = [
        (label.value, each.winner.value)
        for each, label in zip(judged.judgments, labels, strict=True)
        if label is not Winner.TIE
    ]
    decided = [pair for pair in pairs if pair[1] in ("A", "B")]
    kappa = cohen_kappa(confusion(decided))
    print(f"  kappa with simulated labels     {kappa.value:.3f} (SE {kappa.standard_error:.3f})")
    print(f"  coverage of non-tie anchors     {len(decided) / len(pairs):.1%}")


def _shown(opinion: Opinion, event: Comparison) -> tuple[str, str]:
    shown = (event.a, event.b) if opinion.order is Order.AB else (event.b, event.a)
    return shown[0].candidate.output, shown[1].candidate.output


def _quoted(opinion: Opinion, event: Comparison) -> bool:
    """Whether both citations are, to the word, those of a perfect judge."""
    lines = (citation(slot, text) for slot, text in zip("AB", _shown(opinion, event), strict=True))
    return opinion.raw_text.startswith("\n".join(lines))


def _found(opinion: Opinion, event: Comparison) -> bool:
    """Whether every filter is rightly called met or unmet, whatever was quoted."""
    expected = [finding.met for text in _shown(opinion, event) for finding in findings(text)]
    return [each.met for each in opinion.citations] == expected


async def strength_of(judged: Judged, winners: Sequence[Winner], checkpoint: Path) -> Strength:
    """The judge beside the policy's own ranking of the same pairs, ties left out."""
    decided = [
        (judgment, winner)
        for judgment, winner in zip(judged.judgments, winners, strict=True)
        if winner is not Winner.TIE
    ]
    policy = InProcessModel(checkpoint)
    by_sum, by_mean = await likelihood_ranking(
        [judgment.comparison for judgment, _ in decided], [better for _, better in decided], policy
    )
    await policy.aclose()
    return strength([one.winner is better for one, better in decided], by_sum, by_mean)


async def report_strength(judged: Judged, winners: Sequence[Winner]) -> None:
    """Print the judge beside the policy's own ranking of the same pairs."""
    if not policy.CHECKPOINT.is_dir():
        print("  no policy yet: python -m examples.harbor.train_policy")
        return
    found = await strength_of(judged, winners, policy.CHECKPOINT)
    print(f"  without ties: judge right       {found.judge:.1%} of {found.n}")
    print(
        f"  policy's likelihood right       {found.policy_by_sum:.1%} by sum, "
        f"{found.policy_by_mean:.1%} by mean a character; p {found.p_value:.2g}"
    )


async def measure(checkpoint: Path, sample: int) -> None:
    """Print all figures."""
    held_out = [each.comparison for each in islice(exchanges(questions("dev"), 1), sample)]
    truth = [
        _WINNERS[better(each.a.candidate.output, each.b.candidate.output)] for each in held_out
    ]
    print("held-out comparisons (dev questions; faults as in training)")
    judged = await judge(held_out, checkpoint)
    report(judged, truth)
    await report_strength(judged, truth)

    found = anchors("calibration")
    labels = [Winner(each.labels.winner) for each in found]
    print("\nanchors, calibration split (simulated; one fault or none)")
    judged = await judge([anchor_comparison(each) for each in found], checkpoint)
    report(judged, [_WINNERS[better(each.a, each.b)] for each in found])
    report_kappa(judged, labels)
    await report_strength(judged, labels)


def main() -> None:
    """Measure the committed judge, or another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--sample", type=int, default=500)
    options = parser.parse_args()
    asyncio.run(measure(options.checkpoint, options.sample))


if __name__ == "__main__":
    main()
