"""The canary's first trial: are the answers that labelling would pick of several any better?"""

from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

from schemas.events import Preference
from schemas.records import GateResult, PreferenceSource
from streams.judge.tournament import Tournament
from streams.pipeline import build_judge
from streams.sample import SampleSettings
from streams.verify.stage import VerifyStage
from trainer.best_of_n_trial import Tried, best_of_n_trial
from trainer.evaluate import EvaluationSettings
from trainer.fresh_sets import traffic_sets
from trainer.promotion.compare import Arena
from trainer.promotion.difference import at_least, share_difference, unless_below
from trainer.promotion.settings import CanarySettings
from trainer.prompts import Prompt

_BY_MACHINES = (PreferenceSource.VERIFIER, PreferenceSource.RLAIF)


async def choice_gate(
    rows: Sequence[Preference],
    reference: Path,
    prompts: Sequence[Prompt],
    asking: EvaluationSettings,
    settings: CanarySettings,
    arena: Arena,
) -> GateResult:
    """The favourite of N answers of the reference against the first of them, by the checks.

    The judge picks as it did for the rows: where labelling knew what answers are expected to be,
    the checks leave it only those that are, and alone it would be asked what it never was.
    """
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
        checks = frozenset[str]().union(*(verify.check_names(p.expectations) for p in prompts))
        expecting = labelled_by(rows, checks - verify.check_names(()))
        rubric_id = arena.pipeline.pair.rubric_id
        chooser = Tournament(verify, judge, rubric_id, expecting=expecting)
        tried = await best_of_n_trial(sets, chooser, verify)
    by = "checks and judge" if expecting else "the judge"
    said = f"best of {settings.answers} by {by}"
    if left_out := len(prompts) - len(tried):
        said += f"; {left_out} of {len(prompts)} prompts were not answered, or could not be judged"
    return best_of_n_gate(tried, settings, said)


def labelled_by(rows: Sequence[Preference], checks: frozenset[str]) -> bool:
    """Whether one of the checks was run for most rows that no person labelled. Pure."""
    machine = [row for row in rows if row.source in _BY_MACHINES]
    return 2 * sum(bool(checks & row.chosen_checks.keys()) for row in machine) > len(machine)


def best_of_n_gate(tried: Sequence[Tried], settings: CanarySettings, detail: str) -> GateResult:
    """Whether the picked answers surely pass more checks than the first ones.

    Where not even the best choice could show that, as nearly all answers pass or none does, it is
    enough that they do not surely pass fewer. Pure.
    """
    gain = share_difference([one.passes(one.choice.index) - one.passes(0) for one in tried])
    most = share_difference([one.any_passes - one.passes(0) for one in tried])
    if most.low is not None and most.low < settings.min_gain:
        detail = f"{detail}; the best choice could gain {most.value:.3f}"
        return unless_below("canary/best_of_n", gain, -settings.max_drop, detail)
    return at_least("canary/best_of_n", gain, settings.min_gain, detail)
