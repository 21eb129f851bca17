"""Two policies against each other for real: both asked, checked and judged, into gates."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infra.settings import Settings
from schemas.records import GateResult
from streams.inference.open_model import open_model
from streams.pipeline import Pipeline, build_stage
from streams.verify.verifier import Verifier
from trainer.evaluate import Answered, EvaluationSettings, ask, summarise
from trainer.promotion.duel import duels
from trainer.promotion.kl import kl_per_token
from trainer.promotion.pair import Duel, Pair, pairs
from trainer.promotion.post_train_gate import post_train_gates
from trainer.promotion.settings import PromotionSettings
from trainer.prompts import Prompt

Step = Callable[[str], None]
"""Told what is being done, for a person who waits."""


@dataclass(frozen=True, kw_only=True)
class Arena:
    """Where policies are compared: the project whose checks and judge decide."""

    project_dir: Path
    pipeline: Pipeline
    infra: Settings
    now: datetime
    step: Step = lambda _: None

    @property
    def has_judge(self) -> bool:
        """Whether anyone but the verifiers decides in this project."""
        return bool(self.pipeline.judge.model or self.pipeline.judge.panel)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came out: gates, and the numbers of both policies on the held-out prompts."""

    gates: tuple[GateResult, ...]
    reference: dict[str, float]
    candidate: dict[str, float]


def compare_policies(
    candidate: Path,
    reference: Path,
    held_out: Sequence[Prompt],
    anchors: Sequence[Prompt],
    settings: PromotionSettings,
    arena: Arena,
) -> Compared:
    """The gates after training of a candidate against the policy that it would replace.

    ``anchors`` are the prompts of the win rate, of which there is none without a judge in the
    project, or with ``anchor_prompts`` 0. Raises ``Fatal`` for a folder that holds no model,
    ``ConfigError`` for a bad project, ``DependencyDown`` where the judge is away.
    """
    answered, judged = asyncio.run(
        _answers_and_duels(candidate, reference, held_out, anchors, settings, arena)
    )
    kl: Sequence[float | None] | None = None
    if settings.kl_prompts and held_out:
        arena.step("distance to the reference")
        asked = [prompt for prompt, pair in zip(held_out, answered, strict=True) if pair.whole]
        first, asking = asked[: settings.kl_prompts], settings.asking
        kl = kl_per_token(candidate, reference, first, asking.max_tokens, asking.seed)
    return Compared(
        gates=post_train_gates(answered, judged, kl, settings),
        reference=summarise([pair.reference for pair in answered]).metrics(),
        candidate=summarise([pair.candidate for pair in answered]).metrics(),
    )


async def answer_both(
    candidate: Path,
    reference: Path,
    prompts: Sequence[Prompt],
    asking: EvaluationSettings,
    arena: Arena,
) -> list[Pair]:
    """Both policies' checked answers to the prompts, one policy in memory at a time."""
    async with Verifier(arena.pipeline.verify, arena.project_dir) as verifier:
        answers: list[tuple[Answered, ...]] = []
        for name, folder in (("candidate", candidate), ("reference", reference)):
            arena.step(f"{name} answers {len(prompts)} prompts")
            model = open_model(f"path:{folder}", arena.infra)
            try:
                answers.append(await ask(model, prompts, verifier, asking))
            finally:
                await model.aclose()
    return pairs(*answers)


async def judge_both(
    prompts: Sequence[Prompt], answered: Sequence[Pair], arena: Arena
) -> tuple[Duel, ...] | None:
    """The project's judge on each pair of answers; None where the project has no judge."""
    if not arena.has_judge:
        return None
    if not prompts:
        return ()
    arena.step(f"the judge compares {len(prompts)} pairs")
    judge = build_stage("judge", arena.project_dir, arena.infra)
    try:
        return await duels(prompts, answered, judge, arena.pipeline.pair.rubric_id, arena.now)
    finally:
        await judge.aclose()


async def _answers_and_duels(
    candidate: Path,
    reference: Path,
    held_out: Sequence[Prompt],
    anchors: Sequence[Prompt],
    settings: PromotionSettings,
    arena: Arena,
) -> tuple[list[Pair], tuple[Duel, ...] | None]:
    """All prompts are asked at once: loading a policy twice would cost more than the answers."""
    prompts, n = [*held_out, *anchors], len(held_out)
    both = await answer_both(candidate, reference, prompts, settings.asking, arena)
    judged = await judge_both(anchors, both[n:], arena) if settings.anchor_prompts else None
    return both[:n], judged
