"""Shadow evaluation: live prompts answered by both policies, judged and verified, never shown."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.events import Completion
from schemas.ids import unit_interval
from schemas.records import GateResult, Origin
from trainer.evaluate import EvaluationSettings
from trainer.promotion.compare import Arena, answer_both, judge_both
from trainer.promotion.difference import at_least, share_difference
from trainer.promotion.pair import Duel, Pair, comparable, unanswered
from trainer.promotion.post_train_gate import (
    gone_without,
    pass_gains,
    prompts_gate,
    win_rate_gate,
)
from trainer.promotion.settings import ShadowSettings
from trainer.prompts import Prompt


def live_prompts(
    completions: Iterable[Completion], trained_on: frozenset[str], settings: ShadowSettings
) -> list[Prompt]:
    """The latest prompts of the share that is shadowed, each once, none that was trained on. Pure.

    Which prompts belong to the share is decided by their id, so a prompt is always or never in it.
    """
    latest: dict[str, Completion] = {}
    for one in sorted(completions, key=lambda completion: completion.occurred_at):
        chosen = unit_interval("shadow", one.prompt_id) < settings.share
        if one.origin is Origin.PRODUCTION and chosen and one.prompt_id not in trained_on:
            latest.pop(one.prompt_id, None)
            latest[one.prompt_id] = one
    return [Prompt.of(one) for one in list(latest.values())[-settings.max_prompts :]]


def shadow_gates(
    answered: Sequence[Pair], judged: Sequence[Duel] | None, settings: ShadowSettings
) -> tuple[GateResult, ...]:
    """Enough prompts, the share of answers that pass the checks, and the judge's win rate. Pure."""
    compared = comparable(answered)
    enough = prompts_gate(
        "shadow/prompts", len(compared), settings.min_prompts, unanswered(answered)
    )
    gates = [
        enough,
        at_least("shadow/passed", share_difference(pass_gains(compared)), -settings.max_drop),
    ]
    if judged is not None:
        gates.append(win_rate_gate("shadow/win_rate", judged, settings.max_drop))
    return tuple(gates)


def without_shadow(n: int, settings: ShadowSettings, detail: str = "") -> GateResult | None:
    """What stands in place of the gates where ``n`` live prompts are not asked, or could not be.
    Pure."""
    if not settings.share:
        return gone_without("shadow", "promotion.shadow.share is 0")
    if n >= settings.min_prompts:
        return None
    if settings.too_few == "withhold":
        return prompts_gate("shadow/prompts", n, settings.min_prompts, detail)
    why = f"{n} live prompts that were not trained on, {settings.min_prompts} are needed"
    return gone_without("shadow", "; ".join(filter(None, (why, detail))))


def shadow(
    candidate: Path,
    reference: Path,
    prompts: Sequence[Prompt],
    asking: EvaluationSettings,
    settings: ShadowSettings,
    arena: Arena,
) -> tuple[GateResult, ...]:
    """Ask, check and judge both on the live prompts; raises as ``compare_policies``.

    One gate says so where that is switched off, or there are too few of them.
    """
    if not_run := without_shadow(len(prompts), settings):
        return (not_run,)
    arena.step("shadow evaluation")

    async def both() -> tuple[list[Pair], tuple[Duel, ...] | None]:
        answered = await answer_both(candidate, reference, prompts, asking, arena)
        return answered, await judge_both(prompts, answered, arena)

    answered, judged = asyncio.run(both())
    n, said = len(comparable(answered)), unanswered(answered)
    if not_run := without_shadow(n, settings, said):
        return (not_run,)
    return shadow_gates(answered, judged, settings)
