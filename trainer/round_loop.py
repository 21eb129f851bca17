"""The loop of rounds: sample, label, gate, blend, train, evaluate, measure; again while it may."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.events import Calibration
from trainer.dataset import FrozenDataset
from trainer.gate import ALL_SLICES, CALIBRATION_SPLIT
from trainer.prompts import Prompt
from trainer.round_steps import KeptOut, RoundSteps
from trainer.rounds import RoundResult, why_stop
from trainer.run import RunOutcome

TrainRound = Callable[[int, FrozenDataset, Path, Sequence[Calibration]], RunOutcome]
"""(round, its pairs, the policy that wrote them, all calibrations so far) to how training ended."""


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """What came of the rounds; ``stopped`` says why no other one may follow."""

    results: tuple[RoundResult, ...]
    stopped: str | None

    @property
    def waits(self) -> bool:
        """Whether people only have to label for the rounds to go on."""
        return self.results[-1].waits


def run_rounds(
    prompts: Sequence[Sequence[Prompt]],
    start: Path,
    steps: RoundSteps,
    train: TrainRound,
    calibrations: Sequence[Calibration],
    kept_out: KeptOut,
    done: Sequence[RoundResult],
    tell: Callable[[Sequence[RoundResult]], None],
) -> Rounds:
    """One round for each element of ``prompts``, which must not overlap.

    ``done`` are rounds that an earlier call trained: they are not trained again, and the last of
    them is only measured where nobody had labelled its anchors. ``tell`` hears of all results after
    each step. ``calibrations`` are those before the first round; each round adds its own.
    """
    results, known = list(done), list(calibrations)
    if results and results[-1].waits:
        results[-1] = _measured(results[-1], steps, known)
        tell(results)
    while len(results) < len(prompts) and why_stop(results) is None:
        began_s, number = time.monotonic(), len(results) + 1
        policy = Path(results[-1].policy) if results else start
        labelled = steps.label(policy, prompts[len(results)], kept_out)
        outcome = train(number, labelled.pairs, policy, known)
        trained, judge = outcome.trained, latest_calibration(known)
        result = RoundResult(
            round=number,
            run_id=outcome.run.run_id,
            policy=str(trained.path) if trained else "",
            unanswered=labelled.unanswered,
            pairs=labelled.pairs.manifest.rows,
            truncated=trained.truncated if trained else 0,
            dropped=trained.dropped if trained else 0,
            verdict=outcome.verdict,
            refusal=outcome.run.detail if trained is None else "",
            kappa=judge.kappa if judge else None,
            kappa_low=judge.lower_bound if judge else None,
            anchors=judge.n if judge else 0,
            before=outcome.before,
            evaluation=outcome.after,
        )
        results.append(result)
        tell(results)
        if trained is not None:
            results[-1] = _measured(result, steps, known)
        results[-1] = results[-1].model_copy(update={"seconds": time.monotonic() - began_s})
        tell(results)
    return Rounds(results=tuple(results), stopped=why_stop(results))


def latest_calibration(calibrations: Iterable[Calibration]) -> Calibration | None:
    """The newest one over all anchors of the calibration split."""
    whole = (CALIBRATION_SPLIT, ALL_SLICES)
    found = [one for one in calibrations if (one.split, one.slice) == whole]
    return max(found, key=lambda one: one.occurred_at, default=None)


def _measured(result: RoundResult, steps: RoundSteps, known: list[Calibration]) -> RoundResult:
    """The result with its wins; what the judge's calibration came to is added to ``known``."""
    measured = steps.measure(Path(result.policy))
    known += measured.calibrations
    return result.model_copy(update={"wins": measured.wins})
