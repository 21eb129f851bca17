"""The gates after training, run on one candidate and told as one event."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError
from schemas.events import Completion, Run
from schemas.records import RunStatus, Verdict
from trainer.dataset import load
from trainer.gate_rules import worst
from trainer.promotion.candidate import next_step
from trainer.promotion.compare import Arena, compare_policies
from trainer.promotion.settings import PromotionSettings
from trainer.promotion.shadow import live_prompts, shadow
from trainer.prompts import Prompt, prompt_ids


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """What both policies are asked: held-out prompts, anchor prompts, and recent live traffic."""

    held_out: Sequence[Prompt]
    anchors: Sequence[Prompt] = ()
    live: Sequence[Completion] = ()


def gate_after_training(
    trained: Run,
    reference: Path,
    prompts: Prompts,
    settings: PromotionSettings,
    arena: Arena,
    *,
    epoch: int | None = None,
) -> Run:
    """CLEARED or WITHHELD, with every gate and number; nothing is published or moved.

    Raises ``ConfigError`` where a held-out prompt was trained on, and as ``compare_policies``.
    """
    checkpoint = Path(trained.checkpoint)
    dataset = load(checkpoint.with_name(f"{checkpoint.name}.dataset"))
    trained_on = frozenset(row.prompt_id for row in dataset.rows)
    if seen := trained_on & prompt_ids(prompts.held_out):
        raise ConfigError(
            f"{len(seen)} of the held-out prompts were trained on by run {trained.run_id}; "
            "freeze the dataset with --exclude"
        )
    anchors = [one for one in prompts.anchors if one.prompt_id not in trained_on]
    compared = compare_policies(checkpoint, reference, prompts.held_out, anchors, settings, arena)
    gates = compared.gates
    # Live prompts cost answers of both: only for a candidate that could still pass.
    if worst(gates) is Verdict.PASS:
        live = live_prompts(prompts.live, trained_on, settings.shadow)
        gates += shadow(checkpoint, reference, live, settings.asking, settings.shadow, arena)
    verdict = worst(gates)
    return next_step(
        trained,
        RunStatus.CLEARED if verdict is Verdict.PASS else RunStatus.WITHHELD,
        arena.now,
        gates=gates,
        policy=str(reference),
        metrics_before=compared.reference,
        metrics_after=compared.candidate,
        detail="; ".join(
            f"{gate.name}: {gate.verdict} {gate.detail}".strip()
            for gate in gates
            if gate.verdict is not Verdict.PASS
        ),
        epoch=epoch,
    )
