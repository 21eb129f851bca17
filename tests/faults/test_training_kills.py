"""SIGKILL at eleven points of a training: it goes on, and no half checkpoint gets its name."""

import multiprocessing
import signal
from pathlib import Path

import pytest

from schemas.events import Run
from schemas.records import RunStatus
from tests.faults.small_training import RUNS_FILE, run
from tests.tiny_policy import save_tiny_policy
from trainer.dataset import load

pytestmark = [pytest.mark.faults, pytest.mark.integration]

# Each process begins where the one before was killed: (part of the changed path, which change).
FREEZING = [("/new.dataset/", 1), ("/new.dataset/", 3)]
TRAINING = [
    ("/new.part/", 2),
    ("/checkpoint-2/", 1),
    ("/checkpoint-2/", 4),
    ("/checkpoint-4/complete/", 1),
    ("/checkpoint-6/", 3),
    ("/checkpoint-10/", 2),
]
SAVING = [("/new.part/model/", 1), ("/new.part/model/", 4), ("/new/", 1)]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def exit_code(policy: Path, folder: Path, *point: str | int) -> int | None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.small_training"])
    process = context.Process(target=run, args=(policy, folder, *point))
    process.start()
    process.join()
    return process.exitcode


def told(folder: Path) -> list[Run]:
    lines = (folder / RUNS_FILE).read_text(encoding="utf-8").splitlines()
    return [Run.model_validate_json(line) for line in lines]


def weights(folder: Path) -> bytes:
    return (folder / "new" / "model.safetensors").read_bytes()


def test_a_training_that_is_killed_at_every_point_ends_as_one_that_was_not(
    policy: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    assert exit_code(policy, whole) == 0
    for point in (*FREEZING, *TRAINING, *SAVING):
        assert exit_code(policy, killed, *point) == -signal.SIGKILL, point
        assert not (killed / "new").exists(), point
    # all that is left to do is to save the model again
    assert (killed / "new.part" / "checkpoint-12" / "complete").exists()
    assert exit_code(policy, killed) == 0
    assert weights(killed) == weights(whole)
    assert load(killed / "new.dataset") == load(whole / "new.dataset")
    assert {path.name for path in killed.iterdir()} == {"new", "new.dataset", RUNS_FILE}
    # every start is on record, and what was trained on is the same in all of them
    kills = len(FREEZING + TRAINING + SAVING)
    statuses = [one.status for one in told(killed)]
    assert statuses == [RunStatus.STARTED] * (kills + 1) + [RunStatus.TRAINED]
    assert len({one.manifest_hash for one in told(killed)}) == 1
