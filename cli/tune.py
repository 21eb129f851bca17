"""`prefstream tune`: beta and learning rate by the judge on anchors, never by the benchmark."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.tuning import Trial

_TABLE = "tuning.json"


def tune(
    policy: Annotated[Path, typer.Option(help="Checkpoint folder that every trial begins from.")],
    anchors: Annotated[Path, typer.Option(help="JSONL of anchor prompts.")],
    out: Annotated[Path, typer.Option(help="Folder for the trials' policies and tuning.json.")],
    manifest: Annotated[
        Path | None, typer.Option(help="Frozen dataset; default: the preferences topic as it is.")
    ] = None,
    algorithm: Annotated[str, typer.Option(help="One that has a beta.")] = "dpo",
    beta: Annotated[
        list[float] | None,
        typer.Option(help="To try; default 0.3, 1 and 3 times the one of pipeline.yaml."),
    ] = None,
    learning_rate: Annotated[
        list[float] | None, typer.Option(help="To try; default the one of pipeline.yaml.")
    ] = None,
    judge_config: Annotated[
        str | None,
        typer.Option(
            help="The judge_config_hash of the rlaif rows, if several; `current`: the project's."
        ),
    ] = None,
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    temperature: Annotated[float, typer.Option(min=0, help="At which answers are drawn.")] = 0.7,
    topics: Annotated[
        Path | None, typer.Option(help="No Kafka: this folder of topics, as for `rounds`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The trials as one object.")] = False,
) -> None:
    """Train once for each beta and learning rate; the judge compares their answers on anchors.

    Each trial's fresh answers to the anchor prompts of the calibration split stand against those
    of the policy it began from. Of the trials within one standard error of the best win rate the
    one that moves least is named. Every trial is a run in the log, refused ones too.

    [bold]Examples[/bold]

      prefstream tune --policy sft --anchors anchors.jsonl --out tuning
      prefstream tune --policy sft --anchors a.jsonl --beta 0.05 --beta 0.2 --manifest d --out t
    """
    from rich.console import Console

    from cli.round_project import project_rounds
    from cli.tune_job import Grid, betas_near, run_trials, tuned_on
    from examples.harbor.demo.display import Display
    from infra.full_disk import a_full_disk_is_fatal
    from schemas.errors import ConfigError
    from trainer.tuning import best

    if manifest is not None and judge_config:
        raise ConfigError(
            "--judge-config chooses among what the topic holds; the rows of a --manifest are "
            "chosen: leave it out"
        )
    if (out / _TABLE).exists():
        raise ConfigError(
            f"{out}: holds the trials of another search, which would be removed; choose another "
            "folder for --out"
        )
    console = Console(stderr=as_json)
    display = Display(console)
    opened = project_rounds(
        out,
        1,
        algorithm,
        display,
        policy=policy,
        prompts=anchors,
        anchors=anchors,
        held_out=None,
        project=project,
        temperature=temperature,
        topics=topics,
    )
    with opened as (job, around), display.step("trials"):
        config = job.config()
        if not hasattr(config, "beta"):
            raise ConfigError(f"{algorithm} has no beta to tune; take dpo, orpo, simpo or kto")
        grid = Grid(
            betas=beta or betas_near(config.beta),
            learning_rates=learning_rate or [config.learning_rate],
        )
        points = grid.points(config)
        trials = run_trials(
            job,
            around,
            points,
            tuned_on(job, around, manifest, judge_config),
            lambda trial, number: console.print(
                f"trial {number} of {len(points)}: {_line(trial)}", highlight=False
            ),
        )
    taken = best(trials, algorithm)
    with a_full_disk_is_fatal(out):
        (out / _TABLE).write_text(_json(trials, taken), encoding="utf-8")
    if as_json:
        typer.echo(_json(trials, taken))
    else:
        console.print(f"take {_line(taken)}", highlight=False)


def _line(trial: "Trial") -> str:
    from cli.beyond_context import beyond_context

    wins = trial.wins
    left_out = beyond_context(
        anchors=wins.unanswered, truncated=trial.truncated, dropped=trial.dropped
    )
    said = trial.refusal or "nothing was compared"
    if wins.value is not None:
        said = f"win rate {wins.value:.1%} ± {wins.error or 0:.1%} of {wins.n}"
    told = f"{said}; {left_out}" if left_out else said
    return f"beta {trial.beta:g}, learning rate {trial.learning_rate:g}: {told}"


def _json(trials: "Sequence[Trial]", taken: "Trial") -> str:
    import json

    return json.dumps(
        {
            "trials": [one.model_dump(mode="json") for one in trials],
            "best": taken.model_dump(mode="json"),
        }
    )
