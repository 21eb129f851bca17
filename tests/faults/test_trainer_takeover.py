"""Two trainers, of which one is killed and one is stopped in the middle of a training.

Whatever happens to them, at most one training of a workload runs at any moment, the next leader
takes over, every run has an end in the log, and the alias gives a whole policy.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.trained_folders import trained_dir, training_name
from consumers.trigger.history import LOST
from infra.settings import Settings
from schemas.records import RunStatus
from tests.faults.trainer_process import (
    ENDLESS,
    MACHINE_S,
    SHORT,
    Trainer,
    add_pairs,
    configure,
    laid_out,
    of,
    trainings,
)
from tests.waiting import wait_until
from trainer.log_slice import read_runs
from trainer.promotion.model_registry import models_dir
from trainer.promotion.version import damages, read_version

pytestmark = [pytest.mark.faults, pytest.mark.integration]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


class Overlaps(threading.Thread):
    """Counts the trainings that run, again and again, and remembers the most at one time."""

    def __init__(self, needle: Path) -> None:
        super().__init__(daemon=True)
        self.needle, self.most, self.counts, self.over = str(needle), 0, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            self.most = max(self.most, len(trainings(self.needle)))
            self.counts += 1


@contextmanager
def watched(needle: Path) -> Iterator[Overlaps]:
    overlaps = Overlaps(needle)
    overlaps.start()
    try:
        yield overlaps
    finally:
        overlaps.over.set()
        overlaps.join()


def test_one_training_at_a_time_whoever_dies(fresh_broker: Settings, project: Path) -> None:
    settings = fresh_broker
    add_pairs(settings, "a")
    configure(project, ENDLESS)
    trainers = [Trainer(settings, project, name) for name in ("one", "two")]

    def leader() -> Trainer:
        sign = of(read_runs(settings), RunStatus.LEADING)[-1].detail
        return next(trainer for trainer in trainers if sign.endswith(trainer.sign))

    def started(n: int) -> bool:
        return len(of(read_runs(settings), RunStatus.STARTED)) >= n

    def promoted(n: int) -> bool:
        return len(of(read_runs(settings), RunStatus.PROMOTED)) >= n

    def leading(n: int) -> bool:
        return len(of(read_runs(settings), RunStatus.LEADING)) >= n

    try:
        with watched(project) as overlaps:
            # killed in the middle of a training: the training goes with it
            wait_until(lambda: started(1), "a first training", MACHINE_S)
            killed, lost_training = leader(), trainings(str(project))
            assert len(lost_training) == 1
            configure(project, SHORT)
            killed.end()
            wait_until(lambda: trainings(str(project)) != lost_training, "its end", MACHINE_S)
            wait_until(lambda: promoted(1), "the other trainer to promote", MACHINE_S)
            assert leader() is not killed

            # stopped, as by a machine that hangs: the lease runs out, then another one leads
            trainers.append(Trainer(settings, project, "three"))
            configure(project, ENDLESS)
            add_pairs(settings, "b")
            wait_until(lambda: started(3), "a third training", MACHINE_S)
            stopped = leader()
            configure(project, SHORT)
            stopped.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: leading(3), "the third trainer to lead", MACHINE_S)
            assert leader() is trainers[-1]
            wait_until(lambda: promoted(2), "the third trainer to promote", MACHINE_S)
            stopped.process.send_signal(signal.SIGCONT)
            wait_until(
                lambda: "not leading" in stopped.log.read_text(), "it to stand down", MACHINE_S
            )
            assert stopped.process.poll() is None
    finally:
        for trainer in trainers:
            trainer.end()

    assert overlaps.most == 1
    assert overlaps.counts > 100
    runs = read_runs(settings)
    lost = [run for run in of(runs, RunStatus.FAILED) if run.detail == LOST]
    assert len(lost) == 2
    assert len(of(runs, RunStatus.TRIGGERED)) == 4
    for run in of(runs, RunStatus.STARTED):
        ends = [r.status for r in runs if r.run_id == run.run_id and r is not run]
        assert (RunStatus.FAILED in ends) is not (RunStatus.PROMOTED in ends)
    # terms only ever grow, and the events of each follow one another
    epochs = [run.epoch for run in of(runs, RunStatus.STARTED) if run.epoch is not None]
    assert epochs == sorted(epochs)
    assert len(set(epochs)) == 3
    # of four the one that was the newest when the last began, and that one
    kept = {path.name.partition(".")[0] for path in trained_dir(settings).iterdir()}
    assert kept == {training_name(run) for run in of(runs, RunStatus.TRIGGERED)[2:]}
    alias = models_dir(settings) / "production"
    assert damages(alias) == {}
    assert read_version(alias).run_id == of(runs, RunStatus.PROMOTED)[-1].run_id
    print(f"{overlaps.counts} counts, never more than {overlaps.most} training at a time")


def test_two_workloads_train_beside_each_other(fresh_broker: Settings, tmp_path: Path) -> None:
    trainers: list[Trainer] = []

    def begun() -> set[str]:
        return {run.workload_id for run in of(read_runs(fresh_broker), RunStatus.STARTED)}

    try:
        for workload in ("shop", "bank"):
            (tmp_path / workload).mkdir()
            project = laid_out(tmp_path / workload)
            configure(project, ENDLESS, workload)
            add_pairs(fresh_broker, workload, workload)
            settings = fresh_broker.model_copy(update={"models_dir": project / "models"})
            trainers.append(Trainer(settings, project, workload))
        wait_until(lambda: begun() == {"shop", "bank"}, "both to train", MACHINE_S)
        assert len(trainings(str(tmp_path))) == 2
    finally:
        for trainer in trainers:
            trainer.end()
