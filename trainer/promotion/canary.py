"""The canary: is it worth training on these rows at all? Two cheap trials that must win.

Best-of-N first: if picking of the reference's own answers as labelling would does not make them
better, learning from those labels cannot either. Then a training on a small share of the rows,
whose policy must beat the reference.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from schemas.events import Preference
from schemas.ids import unit_interval
from schemas.records import GateResult, Verdict
from trainer.evaluate import EvaluationSettings
from trainer.policy import Train
from trainer.promotion.canary_choice import choice_gate
from trainer.promotion.compare import Arena, answer_both, judge_both
from trainer.promotion.difference import at_least, share_difference, unless_below
from trainer.promotion.pair import Duel, Pair, comparable, unanswered
from trainer.promotion.post_train_gate import pass_gains, win_rate_gate
from trainer.promotion.settings import CanarySettings
from trainer.prompts import Prompt


def canary(
    rows: Sequence[Preference],
    reference: Path,
    train: Train,
    prompts: Sequence[Prompt],
    asking: EvaluationSettings,
    settings: CanarySettings,
    folder: Path,
    arena: Arena,
) -> tuple[GateResult, ...]:
    """The gates of both trials; the second is only run where the first passed.

    The trial's policy is left in ``folder``, which is empty before. Raises what training and asking
    raise.
    """
    order = sorted(prompts, key=lambda prompt: unit_interval("canary", prompt.prompt_id))
    asked = order[: settings.prompts]
    gates: list[GateResult] = []
    if arena.has_judge:
        gates.append(asyncio.run(choice_gate(rows, reference, asked, asking, settings, arena)))
        if gates[-1].verdict is not Verdict.PASS:
            return tuple(gates)
    chosen = trial_rows(rows, settings)
    arena.step(f"canary: training on {len(chosen)} rows")
    trial = train(chosen, reference, folder / "policy", lambda _: None).path

    async def both() -> tuple[list[Pair], tuple[Duel, ...] | None]:
        answered = await answer_both(trial, reference, asked, asking, arena)
        return answered, await judge_both(asked, answered, arena)

    return *gates, *trial_gates(*asyncio.run(both()), settings)


def trial_rows(rows: Sequence[Preference], settings: CanarySettings) -> list[Preference]:
    """The rows of the trial, by stable hash of their ids. Pure."""
    order = sorted(rows, key=lambda row: unit_interval("canary", row.event_id))
    return order[: max(settings.min_rows, round(len(rows) * settings.share))]


def trial_gates(
    answered: Sequence[Pair], judged: Sequence[Duel] | None, settings: CanarySettings
) -> tuple[GateResult, ...]:
    """What the trial's policy must show: surely a gain by the checks or by the judge, and by the
    other no sure loss. The gates after training ask for more. Pure."""
    passes, said = share_difference(pass_gains(comparable(answered))), unanswered(answered)
    gained = at_least("canary/accuracy", passes, settings.min_gain, said)
    if judged is None:
        return (gained,)
    if gained.verdict is Verdict.PASS:
        return gained, win_rate_gate("canary/win_rate", judged, settings.max_drop, unless_below)
    kept = unless_below("canary/accuracy", passes, -settings.max_drop, said)
    return kept, win_rate_gate("canary/win_rate", judged, -settings.min_gain)
