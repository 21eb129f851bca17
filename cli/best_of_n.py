"""`prefstream best-of-n`: would the judge's own choice among several answers be a better answer?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumers.export_rows import Row
    from schemas.events import Completion
    from streams.pipeline import Pipeline
    from trainer.best_of_n_trial import Chooser, TrialReport, Tried


def best_of_n(
    prompts: Annotated[
        Path, typer.Argument(help="JSONL: prompt or messages, and expectations to verify by.")
    ],
    n: Annotated[int, typer.Option("-n", min=2, help="Answers to each prompt.")] = 4,
    temperature: Annotated[float, typer.Option(min=0.01, help="They are drawn at.")] = 0.7,
    reward: Annotated[
        Path | None, typer.Option(help="Choose by a reward model's scores, not by the judge.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write each prompt's chosen answer, JSONL.")
    ] = None,
    canary: Annotated[
        bool,
        typer.Option("--canary", help="Exit code 1 unless the choice beats a single sample."),
    ] = False,
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one object.")] = False,
) -> None:
    """Sample N answers a prompt, choose one, and count how often the verifiers let it pass.

    The first model of sample.models answers. The judge chooses by a tournament: every pair, both
    orders, the same prompt as in labelling; it does not see what is expected. Beside the choice:
    the first answer alone, and the best that any choice could be. The choice beats the single
    sample where McNemar's exact test is at 5 % or less.

    [bold]Examples[/bold]

      prefstream best-of-n prompts.jsonl --project examples/harbor/project
      prefstream best-of-n prompts.jsonl -n 8 --reward checkpoints/reward --canary --json
    """
    import asyncio
    from contextlib import ExitStack

    from consumers.export_file import lines_to
    from streams.pipeline import load_pipeline
    from streams.seeds import read_seeds
    from trainer.best_of_n_trial import trial_report

    pipeline = load_pipeline(project)
    if not pipeline.sample.models:
        raise ConfigError(f"{project}/pipeline.yaml: sample.models is empty; nobody can answer")
    drawn = {
        "models": pipeline.sample.models[:1],
        "temperatures": (temperature,),
        "generated": n,
        "revise": None,
    }
    sample = pipeline.sample.model_copy(update=drawn)
    seeds = list(read_seeds(prompts, pipeline.workload))
    with ExitStack() as files:
        # now: what cannot be written is not to be known after all prompts were answered
        write = files.enter_context(lines_to(out)) if out is not None else None
        tried = asyncio.run(
            _try(project, pipeline.model_copy(update={"sample": sample}), seeds, reward)
        )
        if not tried:
            raise ConfigError(f"nothing to try: {prompts} holds no prompt that was answered")
        if write is not None:
            for row in _rows(tried):
                write(row)
    found = trial_report(tried)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        _show(found, n)
    if canary and not found.beats:
        typer.echo("prefstream: the choice does not beat a single sample", err=True)
        raise typer.Exit(1)


async def _try(
    project: Path, pipeline: "Pipeline", seeds: "Sequence[Completion]", reward: Path | None
) -> "list[Tried]":
    """Sample, choose and verify, with a bar; what cannot be is told on standard error."""
    from contextlib import AsyncExitStack, aclosing

    from rich.console import Console
    from rich.progress import Progress

    from infra.settings import Settings
    from schemas.errors import Poison
    from schemas.events import CandidateSet
    from streams.judge.tournament import Tournament
    from streams.local import run_local
    from streams.pipeline import build_judge, build_sampler
    from streams.verify.stage import VerifyStage
    from trainer.best_of_n_trial import ByReward, best_of_n_trial
    from trainer.reward_scores import RewardModel

    settings, console = Settings(), Console(stderr=True)
    async with AsyncExitStack() as stages:
        sampler = await stages.enter_async_context(
            aclosing(build_sampler(pipeline, project, settings))
        )
        verify = await stages.enter_async_context(aclosing(VerifyStage(pipeline.verify, project)))
        chooser: Chooser
        if reward is None:
            judge = await stages.enter_async_context(aclosing(build_judge(project, settings)))
            chooser = Tournament(verify, judge, pipeline.pair.rubric_id)
        else:
            chooser = ByReward(RewardModel(reward))
        bar = stages.enter_context(Progress(console=console, disable=not console.is_terminal))
        task = bar.add_task("sampling", total=len(seeds))
        run = await run_local([sampler], seeds, on_event=lambda _: bar.advance(task))
        for letter in run.dead_letters:
            console.print(f"not answered: {letter.message}", markup=False, highlight=False)
        sets = [one for one in run.outputs.get("samples", []) if isinstance(one, CandidateSet)]
        task = bar.add_task("choosing", total=len(sets))

        def done(poison: Poison | None) -> None:
            bar.advance(task)
            if poison is not None:
                console.print(f"left out: {poison}", markup=False, highlight=False)

        return await best_of_n_trial(sets, chooser, verify, done)


def _rows(tried: "Sequence[Tried]") -> "Iterator[Row]":
    for one in tried:
        picked = one.asked.candidates[one.choice.index]
        yield {
            "id": one.asked.source_ids[0],
            "prompt": one.asked.messages[-1].content,
            "output": picked.output,
            "index": one.choice.index,
            "points": one.choice.points,
            "passed": one.passes(one.choice.index),
        }


def _show(found: "TrialReport", n: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("answer", title=f"{found.n} prompts, {n} answers each")
    for column in ("passes", "share", "95 %"):
        table.add_column(column, justify="right")
    names = {"the first": found.single, "the chosen": found.best, "any of them": found.any}
    for name, share in names.items():
        bounds = f"{share.low:.1%} – {share.high:.1%}"
        table.add_row(name, str(share.passed), f"{share.share:.1%}", bounds)
    console = Console()
    console.print(table)
    console.print(
        f"only the chosen passes: {found.only_best}, only the first: {found.only_single}, "
        f"p = {found.p_value:.3g}; {found.comparisons} comparisons, {found.undecided} without a "
        "winner",
        highlight=False,
    )
