"""Two processes train what one does, and only the first of them writes and prints."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.tiny_policy import save_tiny_policy

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 3, "batch_size": 8}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def torchrun(
    processes: int, algorithm: str, policy: Path, out: Path | str, **changes: Any
) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    job = ["-m", "tests.integration.two_processes", algorithm, str(policy), str(out)]
    return subprocess.run(
        [*launcher, f"--nproc-per-node={processes}", *job, json.dumps(SETTINGS | changes)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )


def metrics(ended: subprocess.CompletedProcess[str]) -> dict[str, float]:
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    found: dict[str, float] = json.loads(line)
    return found


@pytest.mark.parametrize(
    ("algorithm", "changes"),
    [("dpo", {}), ("dpo", {"length_batches": False}), ("sft", {})],
)
def test_two_processes_reach_the_loss_and_weights_of_one(
    algorithm: str, changes: dict[str, Any], policy: Path, tmp_path: Path
) -> None:
    alone = metrics(torchrun(1, algorithm, policy, tmp_path / "alone", **changes))
    both = metrics(torchrun(2, algorithm, policy, tmp_path / "both", **changes))
    assert both["last_loss"] == pytest.approx(alone["last_loss"], rel=1e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "both"]
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("alone", "both"))
    for name, weight in one.items():
        assert weight.allclose(two[name], atol=1e-3), name


def test_a_batch_in_parts_is_the_same_step(policy: Path, tmp_path: Path) -> None:
    whole = metrics(torchrun(1, "dpo", policy, tmp_path / "whole"))
    parts = metrics(torchrun(2, "dpo", policy, tmp_path / "parts", accumulation=2))
    assert parts["last_loss"] == pytest.approx(whole["last_loss"], rel=1e-3)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(policy: Path, tmp_path: Path) -> None:
    ended = torchrun(2, "dpo", policy, tmp_path / "new", batch_size=9)
    assert ended.returncode != 0
    assert "batch_size 9 is no multiple of 2 (2 processes, accumulation 1)" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_others_end_where_the_first_does_not_train(policy: Path) -> None:
    ended = torchrun(2, "dpo", policy, "nothing")
    assert (ended.returncode, ended.stdout) == (0, "")
