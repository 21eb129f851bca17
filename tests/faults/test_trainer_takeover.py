"""Two trainers, of which one is killed and one is stopped in the middle of a training.

Whatever happens to them, at most one training runs at any moment, the next leader takes over, every
run has an end in the log, and the alias gives a whole policy.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from cli.trained_folders import trained_dir, training_name
from consumers.trigger.history import LOST
from infra.publish import publish
from infra.settings import Settings
from schemas.events import Run
from schemas.records import PreferenceSource, RunStatus
from tests.preferences import human, preference, said
from tests.tiny_policy import save_tiny_policy
from tests.waiting import wait_until
from trainer.log_slice import read_runs
from trainer.promotion.model_registry import models_dir
from trainer.promotion.version import damages, read_version

pytestmark = [pytest.mark.faults, pytest.mark.integration]

PIPELINE = """
workload: shop
trigger: {min_new_pairs: 10, least_pairs: 1, settle_minutes: 0, min_interval_minutes: 0,
  retry_minutes: 0, keep_trainings: 1}
dpo: {epochs: EPOCHS, batch_size: 8, learning_rate: 1.0e-6}
verify: {databases: [{name: shop, path: shop.duckdb, dialect: duckdb}]}
promotion: {prompts: held-out.jsonl, asking: {max_tokens: 4}, kl_prompts: 2, max_drop: 0.3,
  max_repetition_rise: 0.9, max_refusal_rise: 0.3, min_length_ratio: 0.05, max_length_ratio: 20,
  max_kl: 50}
"""
ENDLESS, SHORT = 1_000_000, 1
MACHINE_S = 300.0


def configure(project: Path, epochs: int) -> None:
    """How long the next training lasts; the one that runs has read its settings."""
    draft = project / "pipeline.yaml.new"
    draft.write_text(PIPELINE.replace("EPOCHS", str(epochs)), encoding="utf-8")
    draft.replace(project / "pipeline.yaml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute("CREATE TABLE sales AS SELECT i AS amount FROM range(1, 9) t(i)")
    prompt = {
        "messages": [{"role": "user", "content": "what is item1"}],
        "expectations": [
            {
                "kind": "GOLDEN_SQL",
                "spec": "SELECT sum(amount) FROM sales",
                "params": {"database": "shop"},
            }
        ],
    }
    lines = [json.dumps({"prompt_id": f"held-out-{n}", **prompt}) for n in range(50)]
    (tmp_path / "held-out.jsonl").write_text("\n".join(lines), encoding="utf-8")
    save_tiny_policy(tmp_path / "sft")
    return tmp_path


def add_pairs(settings: Settings, batch: str) -> None:
    """Verifier and human rows enough for a training."""
    for n in range(24):
        texts = {
            "prompt": said(f"what is item{n} {batch}", "user"),
            "chosen": said(f"yes good item{n}"),
            "rejected": said(f"no bad item{n}"),
            "judge_config_hash": "",
        }
        name = f"{batch}-{n}"
        verified = preference(name, source=PreferenceSource.VERIFIER, **texts)
        publish(settings, [human(name, **texts) if n % 3 == 0 else verified])


class Trainer:
    """`prefstream trainer` as a process."""

    def __init__(self, settings: Settings, project: Path, name: str) -> None:
        command = [sys.executable, "-m", "cli.main", "trainer", "--policy", str(project / "sft")]
        self.log = project / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--project", str(project), "--every-s", "0.5"],
                env={**os.environ, **settings.environment(), "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=log,
                # The kernel continues what is stopped when its process group loses its last parent.
                start_new_session=True,
            )

    @property
    def sign(self) -> str:
        """How it names itself in the event that it leads."""
        return f":{self.process.pid} leads"

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Overlaps(threading.Thread):
    """Counts the trainings that run, again and again, and remembers the most at one time."""

    def __init__(self, needle: Path) -> None:
        super().__init__(daemon=True)
        self.needle, self.most, self.counts, self.over = str(needle), 0, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            self.most = max(self.most, len(trainings(self.needle)))
            self.counts += 1


def trainings(needle: str) -> set[str]:
    """The trainings of this test that run now, by the folder that each writes to: what a training
    forks has its arguments too."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "--lease-s" in command and any(needle in argument for argument in command):
            found.add(command[command.index("--out") + 1])
    return found


@contextmanager
def watched(needle: Path) -> Iterator[Overlaps]:
    overlaps = Overlaps(needle)
    overlaps.start()
    try:
        yield overlaps
    finally:
        overlaps.over.set()
        overlaps.join()


def of(runs: Sequence[Run], status: RunStatus) -> list[Run]:
    return [run for run in runs if run.status is status]


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
