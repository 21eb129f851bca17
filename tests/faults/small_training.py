"""A whole run on a policy that trains in seconds, in a process that kills itself at one point."""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import trl.trainer.dpo_trainer  # noqa: F401 (loaded once for all the processes of a test)

from schemas.events import Run
from tests.frozen_rows import frozen_rows
from tests.pair_rows import PAIR_ROWS
from trainer.blend import BlendSettings
from trainer.dpo import DpoConfig, train
from trainer.gate_settings import GateSettings
from trainer.run import Surroundings, TrainingPlan, run_training

RUNS_FILE = "runs.jsonl"
_WRITES = os.O_WRONLY | os.O_RDWR
_CONFIG = DpoConfig(learning_rate=5e-3, epochs=3, batch_size=8, checkpoints=5)


def run(policy: Path, folder: Path, part_of_path: str = "", nth: int = 0) -> None:
    """Freeze, train and save ``folder/new``; SIGKILL before the ``nth`` change of a path like that.

    What Python opens for writing, makes, renames or removes counts as a change.
    """
    if nth:
        sys.addaudithook(_killer(str(folder), part_of_path, nth))
    plan = TrainingPlan(
        workload_id="shop",
        policy_path=policy,
        out_dir=folder / "new",
        algorithm="dpo",
        hyper_parameters={},
        gate=GateSettings(),
        blend=BlendSettings(),
        ungated=True,
    )
    around = Surroundings(
        train=lambda rows, start, out, watch: train(rows, start, _CONFIG, out, watch),
        evaluate=None,
        publish=lambda told: _append(folder / RUNS_FILE, told),
        clock=lambda: datetime.now(UTC),
        watch=lambda _: None,
    )
    dataset = frozen_rows(PAIR_ROWS)
    run_training(dataset, folder / "new.dataset", [], plan, around)


def _append(path: Path, told: Run) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(told.model_dump_json() + "\n")


def _killer(folder: str, part_of_path: str, nth: int):  # type: ignore[no-untyped-def] # of sys
    left = nth

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "open":
            changed = isinstance(arguments[2], int) and bool(arguments[2] & _WRITES)
        else:
            changed = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
        # of a rename the new name
        path = str(arguments[1] if event == "os.rename" else arguments[0]) if changed else ""
        if path.startswith(folder) and (path + "/").find(part_of_path) >= 0:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook
