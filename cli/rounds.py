"""`prefstream rounds`: sample, label, gate, blend, train, evaluate; again while people agree."""

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from cli.round_job import RoundJob, RoundSurroundings
    from trainer.round_loop import Rounds

Sampler = Literal["in-process", "vllm"]

_FAILED, _WAITS = 1, 2


def rounds(
    out: Annotated[Path, typer.Option(help="Folder for the rounds; one that has some goes on.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many rounds.")] = 3,
    policy: Annotated[
        Path | None, typer.Option(help="Checkpoint folder that the first round begins from.")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="JSONL of prompts to sample at, dealt out to the rounds.")
    ] = None,
    anchors: Annotated[
        Path | None, typer.Option(help="JSONL of anchor prompts, on which people compare answers.")
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="JSONL of prompts to evaluate on; kept out of training.")
    ] = None,
    project: Annotated[
        Path, typer.Option(help="Project directory with pipeline.yaml.", file_okay=False)
    ] = Path(),
    algorithm: Annotated[str, typer.Option(help="As of `prefstream train`.")] = "dpo",
    temperature: Annotated[
        float, typer.Option(min=0, help="At which production answers, and so is measured.")
    ] = 0.7,
    labels: Annotated[
        int,
        typer.Option(
            min=50,
            help="How many of a round's comparisons people are asked about at most: what the judge "
            "decided, and a random quarter or more that verifiers decided.",
        ),
    ] = 400,
    decay: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="Each round's learning rate, as a share of the last's."),
    ] = 0.33,
    topics: Annotated[
        Path | None,
        typer.Option(
            help="No Kafka: the stages run here. This folder (one JSONL a topic, as `prefstream "
            "label -o` writes) is read before and written after."
        ),
    ] = None,
    harbor: Annotated[
        bool,
        typer.Option("--harbor", help="The worked example: its policy, prompts, simulated people."),
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Less of Harbor.")] = False,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Harbor without Kafka, even where there is Java.")
    ] = False,
    sampler: Annotated[
        Sampler,
        typer.Option(help="Who runs the policies: this process, or a vLLM that serves each."),
    ] = "in-process",
    vllm_options: Annotated[
        str, typer.Option(help="For each vLLM server, in quotes, as for `prefstream vllm up`.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="The rounds as one object; progress on stderr.")
    ] = False,
) -> None:
    """Train again and again on the newest policy's own answers, as long as people agree.

    After each round fresh answers on anchor prompts are compared with those from before the first
    one, by the judge and, a sample (--labels), by people. The gap between the two win rates must
    shrink, or be within its error; else the rounds stop and say why. People who have not labelled
    yet stop them too (OUT/waiting.jsonl; exit code 2): label, then run the same command again. Exit
    code 1 where a gate or the gap ends them. Writes OUT/rounds.json, OUT/rounds.svg and a policy
    a round.

    [bold]Examples[/bold]

      prefstream rounds --n 3 --harbor --out rounds
      prefstream rounds --n 3 --policy sft --prompts traffic.jsonl --anchors anchors.jsonl --out r
      prefstream rounds --policy sft --prompts p.jsonl --anchors a.jsonl --topics labelled --out r
      prefstream rounds --harbor --out r --sampler vllm --vllm-options "--max-model-len 512"
    """
    from rich.console import Console

    from cli.round_harbor import harbor_rounds
    from cli.round_job import run_job
    from cli.round_project import project_rounds
    from cli.round_sampler import open_policy
    from examples.harbor.demo.display import Display
    from infra.full_disk import a_full_disk_is_fatal
    from schemas.errors import ConfigError

    console = Console(stderr=as_json)
    display = Display(console)
    opener = open_policy(sampler, vllm_options, out, console.print)
    opened: AbstractContextManager[tuple[RoundJob, RoundSurroundings]]
    if harbor:
        opened = harbor_rounds(
            out, n, algorithm, display, console, quick=quick, in_process=in_process
        )
    elif policy is None or prompts is None or anchors is None:
        raise ConfigError(
            "name what to begin with: --policy, --prompts and --anchors; or try --harbor"
        )
    else:
        opened = project_rounds(
            out,
            n,
            algorithm,
            display,
            policy=policy,
            prompts=prompts,
            anchors=anchors,
            held_out=held_out,
            project=project,
            temperature=temperature,
            topics=topics,
        )
    with opened as (job, around), display.step(f"{n} rounds"):
        found = run_job(
            replace(job, decay=decay, labels=labels), replace(around, open_policy=opener)
        )
    with a_full_disk_is_fatal(out):
        (out / "rounds.svg").write_text(_plot(found), encoding="utf-8")
    if as_json:
        typer.echo(_json(found))
    else:
        console.print(_table(found))
        for line in _left_out(found):
            console.print(line, highlight=False)
        console.print(found.stopped or f"{len(found.results)} rounds", highlight=False)
    if found.stopped is not None:
        raise typer.Exit(_WAITS if found.waits else _FAILED)


def _plot(found: "Rounds") -> str:
    from trainer.rounds_plot import rounds_plot

    return rounds_plot(found.results)


def _json(found: "Rounds") -> str:
    import json

    results = [one.model_dump(mode="json") for one in found.results]
    return json.dumps({"rounds": results, "stopped": found.stopped})


def _table(found: "Rounds") -> "Table":
    from rich.table import Table

    table = Table(title="Rounds: fresh answers against those from before the first round")
    for column in ("round", "pairs", "kappa", "judge", "people", "gap", "accuracy", "length"):
        table.add_column(column, justify="right")
    for one in found.results:
        wins, asked = one.wins, one.evaluation
        table.add_row(
            str(one.round),
            str(one.pairs),
            "–" if one.kappa is None else f"{one.kappa:.3f} ({one.anchors})",
            _percent(wins.judge if wins else None),
            _percent(wins.human if wins else None),
            f"{_percent(wins.gap)} ± {_percent(wins.gap_error)}" if wins else "–",
            _percent(asked.accuracy.value if asked else None),
            f"{asked.median_length:.0f}" if asked else "–",
        )
    return table


def _left_out(found: "Rounds") -> "Iterator[str]":
    from cli.beyond_context import beyond_context

    for one in found.results:
        said = beyond_context(
            prompts=one.unanswered,
            anchors=one.wins.unanswered if one.wins else 0,
            held_out=one.evaluation.unanswered if one.evaluation else 0,
            truncated=one.truncated,
            dropped=one.dropped,
        )
        if said:
            yield f"round {one.round}: {said}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
