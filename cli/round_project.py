"""Rounds of any project: on the running stack, or in this process over a folder of topics."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.project import load_project
from cli.round_job import RoundJob, RoundSurroundings
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from consumers.calibration.labellers import Labellers
from consumers.clickhouse.rows import event_json
from consumers.topic_files import read_topics, write_topics
from examples.harbor.demo.display import Display
from infra.full_disk import a_full_disk_is_fatal
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Comparison
from trainer.gate_rules import CalibrationRule
from trainer.local_topics import LocalTopics, stages_of
from trainer.prompts import EvaluationPrompt, Prompt, read_prompts
from trainer.round_steps import RoundLog
from trainer.stack_topics import StackTopics

WAITING_FILE = "waiting.jsonl"
"""Comparisons that people have not decided yet."""


@contextmanager
def project_rounds(
    out: Path,
    n: int,
    algorithm: str,
    display: Display,
    *,
    policy: Path,
    prompts: Path,
    anchors: Path,
    held_out: Path | None,
    project: Path,
    temperature: float,
    topics: Path | None,
) -> Iterator[tuple[RoundJob, RoundSurroundings]]:
    """The job and its surroundings; leaving the block writes the folder of topics, if any."""
    settings, loaded = Settings(), load_project(project)
    job = RoundJob(
        project=loaded,
        project_dir=project,
        checks=loaded.verify,
        policy=policy.resolve(),
        out=out,
        n=n,
        algorithm=algorithm,
        prompts=_own(prompts, loaded.workload),
        anchors=_own(anchors, loaded.workload),
        held_out=(read_prompts(held_out, EvaluationPrompt, loaded.workload) if held_out else ()),
        temperature=temperature,
    )
    ledger = HoldoutLedger(ledger_path(settings), workload_id=loaded.workload)

    def around(log: RoundLog) -> RoundSurroundings:
        def waiting(comparisons: Sequence[Comparison]) -> None:
            lines = (f"{event_json(one)}\n" for one in comparisons)
            with a_full_disk_is_fatal(out):
                out.mkdir(parents=True, exist_ok=True)
                (out / WAITING_FILE).write_text("".join(lines), encoding="utf-8")

        decide = CalibrationRule(settings=loaded.gate)
        people = Labellers(log, loaded.calibration, decide, ledger, waiting)
        return RoundSurroundings(
            topics=log,
            people=people,
            ledger=ledger,
            pending=display.lags,
            watch=display.training,
            webhook=settings.webhook_url,
        )

    if topics is None:
        yield job, around(StackTopics(settings))
        return
    with stages_of(settings, project) as (stages, runner):
        local = LocalTopics(settings, stages, runner)
        local.remember(read_topics(topics))
        try:
            yield job, around(local)
        finally:
            write_topics(local.run.outputs, topics)


def _own(path: Path, workload: str) -> tuple[Prompt, ...]:
    """The prompts of a file: answers to them become the workload's events.

    Raises ``ConfigError`` as ``read_prompts``, and for prompts of another workload.
    """
    found = read_prompts(path, Prompt, workload)
    if others := sorted({one.workload_id for one in found} - {workload}):
        raise ConfigError(
            f"{path}: holds prompts of workload {', '.join(others)}, and the project's is "
            f"{workload}; name a file of its own prompts, or that one's --project"
        )
    return found
