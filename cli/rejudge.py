"""`prefstream rejudge`: what would have been judged otherwise by a new version of the rubric?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.settings import Settings
    from schemas.events import Judgment


def rejudge(
    rubric: Annotated[str, typer.Option(help="ID/VERSION to judge by.")],
    source: Annotated[
        Path | None, typer.Argument(help="A judgments.jsonl of `prefstream label`.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--from", help="judgments, judgments:PARTITION or …:FIRST-LAST; repeatable."),
    ] = None,
    last: Annotated[
        int | None, typer.Option(min=1, help="The last N judgments of the topic.")
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="Only old verdicts of this judge_config_hash.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="People's labels as JSONL; of the topic they come from `labels`."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the new judgments as JSONL.")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Send them to `judgments`, beside the old ones.")
    ] = False,
    project: Annotated[
        Path, typer.Option("--project", "-p", help="Project directory with pipeline.yaml.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The result as one object.")] = False,
) -> None:
    """Judge old comparisons anew by another version of the rubric, and show every verdict changed.

    Nothing is overwritten. New judgments of comparisons from the log go to the topic `rejudgments`,
    which no stage reads; with --publish to `judgments`, where the filter makes preferences of them
    that stand beside the old ones under their own judge_config_hash. Comparisons that a verifier
    decided are left out. Both judges are held against people on the calibration anchors among them.
    Exit code 1 where none of the comparisons could be judged.

    [bold]Examples[/bold]

      prefstream rejudge --rubric harbor/2 --last 500 --project examples/harbor/project
      prefstream rejudge --rubric harbor/2 --from judgments:0:100-199 --json
      prefstream rejudge out/judgments.jsonl --rubric harbor/2 --labels labels.jsonl -o new.jsonl
    """
    import json

    from rich.console import Console

    from cli.events_from import events_from
    from cli.judging import judge_all
    from cli.project import load_project
    from cli.replay_tables import show_replay
    from consumers.rejudge import old_verdicts
    from consumers.replay_report import Replayed, replay_report
    from infra.settings import Settings
    from schemas.events import Label
    from streams.pipeline import build_judge

    if sum(given is not None for given in (source, part, last)) != 1:
        raise ConfigError("name a file, or --from, or --last: one of them")
    settings, loaded = Settings(), load_project(project)
    stage = build_judge(project, settings, trial=rubric)
    chosen = old_verdicts(_judgments(settings, source, part, last), judge)
    old = [one for one in chosen if one.judge_config_hash != stage.judge_config_hash]
    judged = judge_all(stage, [one.comparison for one in old], f"judging by {rubric}")
    replayed = [
        Replayed(old=one, new=judged[one.comparison.event_id])
        for one in old
        if one.comparison.event_id in judged
    ]
    given = [] if source and not labels else events_from(labels, Label, settings)
    report = replay_report(replayed, given, loaded.calibration.shares)
    topic = _keep(settings, project, rubric, judged.values(), out, publish, source is None)
    if as_json:
        kept = {"rubric": rubric, "judge_config_hash": stage.judge_config_hash, "topic": topic}
        typer.echo(json.dumps(kept | report.model_dump(mode="json")))
        sys.exit(1 if old and not judged else 0)
    before = ", ".join(sorted({one.rubric_version for one in old})) or "none"
    show_replay(Console(), report, before, rubric)
    if len(chosen) > len(old):
        typer.echo(f"{len(chosen) - len(old)} were judged by this very judge before; left out")
    if topic:
        typer.echo(f"sent {len(judged)} judgments to {topic}")
    if old and not judged:
        typer.echo(f"prefstream: none of {len(old)} comparisons could be judged", err=True)
        sys.exit(1)


def _judgments(
    settings: "Settings", source: Path | None, part: "Sequence[str] | None", last: int | None
) -> "Iterable[Judgment]":
    from consumers.rejudge import newest
    from infra.jsonl import load_jsonl
    from infra.topic_log import read, snapshot
    from infra.topic_range import named_ranges, tails
    from schemas.events import TOPICS, Judgment

    if source is not None:
        return load_jsonl(source, Judgment)
    topic = TOPICS[Judgment]
    if part and any(text.partition(":")[0] != topic for text in part):
        raise ConfigError(f"--from names parts of {topic}: there the old verdicts are")
    ranges = named_ranges(settings, part) if part else tails(snapshot(settings, topic), last or 1)
    events = (logged.event for logged in read(settings, ranges))
    found = (event for event in events if isinstance(event, Judgment))
    return newest(found, last) if last else found


def _keep(
    settings: "Settings",
    project: Path,
    rubric: str,
    judgments: "Iterable[Judgment]",
    out: Path | None,
    publish: bool,
    from_log: bool,
) -> str | None:
    """Write the judgments where they were asked to go; the topic that has them now, if one has."""
    from infra.kafka import ensure_topics
    from infra.publish import publish as send
    from infra.topics import REJUDGMENTS
    from schemas.events import TOPICS, Judgment
    from streams.judge.lock import lock
    from streams.judge.rubric import load_rubric

    found = list(judgments)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{judgment.model_dump_json()}\n" for judgment in found)
        out.write_text(lines, encoding="utf-8")
    if not (publish or from_log):
        return None
    topic = REJUDGMENTS
    if publish:
        # from now on events name this version
        lock(project, load_rubric(project, rubric))
        topic = TOPICS[Judgment]
    ensure_topics(settings)
    send(settings, found, topic)
    return topic
