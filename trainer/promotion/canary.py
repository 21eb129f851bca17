"""The canary: is it worth training on these rows at all? Two cheap trials that must win.

Best-of-N first: if picking the judge's favourite of the reference's own answers does not make them
better, learning from that judge cannot either. Then a training on a small share of the rows, whose
policy must beat the reference.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from schemas.events import Preference
from schemas.ids import unit_interval
from schemas.records import GateResult, Verdict
from streams.inference.open_model import open_model
from streams.pipeline import build_stage
from streams.verify.verifier import Verifier
from trainer.evaluate import Answered, EvaluationSettings, ask
from trainer.policy import Train
from trainer.promotion.compare import Arena, answer_both, judge_both
from trainer.promotion.difference import at_least, share_difference
from trainer.promotion.duel import scores
from trainer.promotion.post_train_gate import (
    Duel,
    Pair,
    pairs,
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
    arena.step(f"canary: best of {settings.answers}")
    samples: list[tuple[Answered, ...]] = []
    model = open_model(f"path:{reference}", arena.infra)
    try:
        async with Verifier(arena.pipeline.verify, arena.project_dir) as verifier:
            for seed in range(settings.answers):
                drawn = asking.model_copy(
                    update={"temperature": settings.temperature, "seed": asking.seed + seed}
                )
                samples.append(await ask(model, prompts, verifier, drawn))
    finally:
        await model.aclose()
    judge = build_stage("judge", arena.project_dir, arena.infra)
    rubric_id = arena.pipeline.pair.rubric_id
    best = list(samples[0])
    try:
        # A knock-out: the best so far meets one more answer, for all prompts at once.
        for challengers in samples[1:]:
            found = await scores(prompts, pairs(challengers, best), judge, rubric_id, arena.now)
            best = [
                challenger if found.get(index) == 1.0 else holder
                for index, (challenger, holder) in enumerate(zip(challengers, best, strict=True))
            ]
    finally:
        await judge.aclose()
    gain = share_difference(pass_gains(pairs(best, samples[0])))
    return at_least("canary/best_of_n", gain, settings.min_gain, f"best of {settings.answers}")
