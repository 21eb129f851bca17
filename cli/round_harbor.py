"""Rounds of the worked example: its policy, its questions, and people who are simulated."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cli.demo import stage_backend
from cli.project import load_project
from cli.round_job import RoundJob, RoundSurroundings
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from examples.harbor.demo.benchmark import benchmark, on_the_database
from examples.harbor.demo.display import Display
from examples.harbor.demo.incoming import TEMPERATURE, labelled
from examples.harbor.demo.sizes import FULL, QUICK
from examples.harbor.demo.workspace import take_up
from examples.harbor.evaluation_prompts import asked
from examples.harbor.questions import questions
from examples.harbor.simulated_people import SimulatedLabellers, gate_reads
from schemas.events import Calibration, Judgment
from schemas.records import Purpose
from trainer.gate_rules import CalibrationRule


@contextmanager
def harbor_rounds(
    out: Path,
    n: int,
    algorithm: str,
    display: Display,
    console: Console,
    *,
    quick: bool,
    in_process: bool,
) -> Iterator[tuple[RoundJob, RoundSurroundings]]:
    """The job and its surroundings, once the judge was calibrated on the planted anchors."""
    sizes = QUICK if quick else FULL
    workspace = take_up(out / "harbor", sizes.measuring_copies)
    project = load_project(workspace.project)
    job = RoundJob(
        project=project,
        project_dir=workspace.project,
        checks=on_the_database(project.verify),
        policy=workspace.checkpoints / "policy",
        out=out,
        n=n,
        algorithm=algorithm,
        prompts=asked(questions("train")[: sizes.prompts * n]),
        anchors=asked(gate_reads()[: sizes.fresh_anchors]),
        held_out=benchmark(sizes.benchmark),
        temperature=TEMPERATURE,
    )
    with stage_backend(workspace, console, in_process=in_process) as backend:
        ledger = HoldoutLedger(ledger_path(backend.settings), workload_id=project.workload)
        decide = CalibrationRule(settings=project.gate)
        people = SimulatedLabellers(
            backend, project.calibration, decide, ledger, waiting=lambda _: None
        )
        if not backend.events(Calibration):
            with display.step("calibrate the judge on planted anchors, by simulated people"):
                backend.publish(labelled(sizes))
                backend.settle(display.lags)
                judged = backend.events(Judgment)
                people.calibrate([o for o in judged if o.comparison.purpose is Purpose.ANCHOR])
        yield (
            job,
            RoundSurroundings(
                topics=backend,
                people=people,
                ledger=ledger,
                pending=display.lags,
                watch=display.training,
                webhook=backend.settings.webhook_url,
            ),
        )
