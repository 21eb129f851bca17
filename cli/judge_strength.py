"""`prefstream judge strength`: does the judge know more than the policy it teaches?"""

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import ConfigError


def strength(
    policy: Annotated[
        Path, typer.Argument(metavar="DIR", help="Policy folder that save_pretrained wrote.")
    ],
    pairs: Annotated[Path, typer.Option(help="JSONL of prompt, better, worse.")],
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory.", file_okay=False)
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one object.")] = False,
) -> None:
    """Judge pairs whose better answer is known, and rank them by the policy's own likelihood.

    A judge that is not stronger than that has nothing to teach. Exit code 0 where the judge is
    right more often, beyond chance at 5 %; else 1.

    [bold]Examples[/bold]

      python -m examples.harbor.judge.pairs > pairs.jsonl
      prefstream judge strength examples/harbor/checkpoints/policy --pairs pairs.jsonl \\
          --project examples/harbor/project
    """
    from cli.judging import judge_all
    from infra.settings import Settings
    from streams.inference.in_process import InProcessModel
    from streams.judge.attack.pairs import read_pairs
    from streams.judge.strength import likelihood_ranking
    from streams.judge.strength import strength as measured
    from streams.pipeline import build_judge, load_pipeline
    from trainer.opened import opened

    judge = load_pipeline(project).judge
    known = read_pairs(pairs, judge.panel or judge.rubric or judge.constitution or "")
    events = [event for event, _ in known]
    better = [winner for _, winner in known]
    judgments = judge_all(build_judge(project, Settings()), events, "judge")
    if len(judgments) < len({event.event_id for event in events}):
        raise ConfigError("some pairs were not judged (see above); strength needs all of them")

    ranked = opened(
        lambda: InProcessModel(policy), lambda model: likelihood_ranking(events, better, model)
    )
    right = [judgments[event.event_id].winner is winner for event, winner in known]
    found = measured(right, *ranked)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        typer.echo(f"judge                    {found.judge:7.1%} of {found.n} pairs right")
        typer.echo(f"policy, sum of tokens    {found.policy_by_sum:7.1%}")
        typer.echo(f"policy, mean a character {found.policy_by_mean:7.1%}")
        typer.echo(f"no stronger by chance: p = {found.p_value:.2g}")
    if not found.is_stronger:
        typer.echo("prefstream: the judge is not stronger than the policy", err=True)
        raise typer.Exit(1)
