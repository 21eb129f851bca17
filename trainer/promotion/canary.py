"""The canary: is it worth training on these rows at all? Two cheap trials that must win.

Best-of-N first: if picking the judge's favourite of the reference's own answers does not make them
better, learning from that judge cannot either. Then a training on a small share of the rows, whose
policy must beat the reference.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from schemas.events import Preference
from schemas.ids import unit_interval
from schemas.records import GateResult, Verdict
from streams.judge.tournament import Tournament
from streams.pipeline import build_judge
from streams.sample import SampleSettings
from streams.verify.stage import VerifyStage
from trainer.best_of_n_trial import best_of_n_trial
from trainer.evaluate import EvaluationSettings
from trainer.fresh_sets import traffic_sets
from trainer.policy import Train
from trainer.promotion.compare import Arena, answer_both, judge_both
from trainer.promotion.difference import at_least, share_difference
from trainer.promotion.post_train_gate import (
    Duel,
    Pair,
    pass_gains,
    prompts_gate,
    win_rate_gate,
)
from trainer.promotion.settings import CanarySettings
from trainer.prompts import Prompt


def canary(
    rows: Sequence[Preference],
    reference: Path,
    train: Train,
    prompts: Sequence[Prompt],
    asking: EvaluationSettings,
    settings: CanarySettings,
    arena: Arena,
) -> tuple[GateResult, ...]:
    """The gates of both trials; the second is only run where the first passed.

    Raises what training and asking raise.
    """
    order = sorted(prompts, key=lambda prompt: unit_interval("canary", prompt.prompt_id))
    asked = order[: settings.prompts]
    gates = [prompts_gate("canary/prompts", len(asked), min(len(prompts), settings.prompts))]
    if arena.has_judge:
        gates.append(asyncio.run(_best_of_n(reference, asked, asking, settings, arena)))
        if gates[-1].verdict is not Verdict.PASS:
            return tuple(gates)
    chosen = share_of(rows, settings.share)
    arena.step(f"canary: training on {len(chosen)} rows")
    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        trial = train(chosen, reference, Path(folder) / "policy", lambda _: None).path

        async def both() -> tuple[list[Pair], tuple[Duel, ...] | None]:
            answered = await answer_both(trial, reference, asked, asking, arena)
            return answered, await judge_both(asked, answered, arena)

        gates += trial_gates(*asyncio.run(both()), settings)
    return tuple(gates)


def share_of(rows: Sequence[Preference], share: float) -> list[Preference]:
    """The rows of the trial, by stable hash of their ids; at least one. Pure."""
    order = sorted(rows, key=lambda row: unit_interval("canary", row.event_id))
    return order[: max(1, round(len(rows) * share))]


def trial_gates(
    answered: Sequence[Pair], judged: Sequence[Duel] | None, settings: CanarySettings
) -> tuple[GateResult, ...]:
    """What the trial's policy must show. Pure."""
    passes = share_difference(pass_gains(answered))
    if judged is None:
        return (at_least("canary/accuracy", passes, settings.min_gain),)
    return (
        at_least("canary/accuracy", passes, -settings.max_drop),
        win_rate_gate("canary/win_rate", judged, -settings.min_gain),
    )


async def _best_of_n(
    reference: Path,
    prompts: Sequence[Prompt],
    asking: EvaluationSettings,
    settings: CanarySettings,
    arena: Arena,
) -> GateResult:
    """The judge's favourite of N answers against the first of them, by the checks."""
    # imported here: torch takes seconds to load
    from streams.inference.in_process import InProcessModel

    arena.step(f"canary: best of {settings.answers}")
    async with AsyncExitStack() as stages:
        verify = VerifyStage(arena.pipeline.verify, arena.project_dir)
        await stages.enter_async_context(aclosing(verify))
        judge = build_judge(arena.project_dir, arena.infra)
        await stages.enter_async_context(aclosing(judge))
        model = InProcessModel(reference)
        await stages.enter_async_context(aclosing(model))
        sampling = SampleSettings(
            temperatures=(settings.temperature,),
            generated=settings.answers - 1,
            max_tokens=asking.max_tokens,
            seed=asking.seed,
        )
        sets = await traffic_sets(model, prompts, sampling, settings.temperature, arena.now)
        chooser = Tournament(verify, judge, arena.pipeline.pair.rubric_id)
        tried = await best_of_n_trial(sets, chooser, verify)
    gain = share_difference([one.passes(one.choice.index) - one.passes(0) for one in tried])
    return at_least("canary/best_of_n", gain, settings.min_gain, f"best of {settings.answers}")
