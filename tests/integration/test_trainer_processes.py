"""Two processes train what one does, and only the first of them writes and prints."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.integration.two_processes import Ended, trains
from tests.pair_rows import PAIR_ROWS
from tests.tiny_policy import save_tiny_policy
from trainer.policy import TrainedPolicy

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node=2")
ACCELERATE = (
    *("accelerate.commands.launch", "--config_file", "infra/accelerate/cpu.yaml"),
    *("--main_process_port", "0"),
)
FAST: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 3, "batch_size": 8}
JOBS = {
    "dpo none": FAST,
    "dpo": FAST,
    "dpo canary": FAST,
    "dpo shuffled": FAST | {"length_batches": False},
    "dpo parts": FAST | {"accumulation": 2},
    "sft lora": FAST | {"lora": {"rank": 4}},
}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def on_two(
    policy: Path, folder: Path, jobs: dict[str, dict[str, Any]], launcher: Sequence[str]
) -> subprocess.CompletedProcess[str]:
    job = ["-m", "tests.integration.two_processes", str(policy), str(folder), json.dumps(jobs)]
    return subprocess.run(
        [sys.executable, "-m", *launcher, *job],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        check=False,
    )


def on_one(policy: Path, out: Path, job: str) -> TrainedPolicy:
    return trains(job, JOBS[job])(PAIR_ROWS, policy, out, lambda _: None)


def test_two_processes_reach_the_loss_and_weights_of_one(policy: Path, tmp_path: Path) -> None:
    ended = on_two(policy, tmp_path, JOBS, TORCHRUN)
    assert ended.returncode == 0, ended.stderr
    both = [Ended.model_validate_json(line).trained for line in ended.stdout.splitlines()]
    assert [one.path.name for one in both] == [name for name in JOBS if "none" not in name]
    assert {path.name for path in tmp_path.iterdir()} == {one.path.name for one in both}
    for two in both:
        one = on_one(policy, tmp_path / "alone" / two.path.name, two.path.name)
        assert two.steps == one.steps == 12
        assert two.metrics["last_loss"] == pytest.approx(one.metrics["last_loss"], rel=1e-3)
        alone, together = (load_file(each.path / "model.safetensors") for each in (one, two))
        for name, weight in alone.items():
            assert weight.allclose(together[name], atol=1e-3), (two.path.name, name)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(policy: Path, tmp_path: Path) -> None:
    ended = on_two(policy, tmp_path, {"dpo": FAST | {"batch_size": 9}}, ACCELERATE)
    assert ended.returncode != 0
    assert "batch_size 9 is no multiple of 2 (2 processes, accumulation 1)" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_knows_no_reward_does_not_end_what_another_learns_from(
    policy: Path, tmp_path: Path
) -> None:
    settings = FAST | {"epochs": 1, "answers": 4, "answer_tokens": 8}
    ended = on_two(policy, tmp_path, {"rloo known": settings}, TORCHRUN)
    assert ended.returncode == 0, ended.stderr
    trained = Ended.model_validate_json(ended.stdout).trained
    assert trained.metrics["last_unknown/good"] == 0.5


def test_the_first_process_goes_on_only_when_the_others_have_worked_too(tmp_path: Path) -> None:
    """What the second one removed of a folder was what the first had just begun to write there."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    ended = subprocess.run(
        [*launcher, "-m", "tests.integration.first_then_others", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "second worked: True" in ended.stdout
