"""Two processes that each hold half of the weights train what one does, by the file for many GPUs.

accelerate shards as it does there, only that the processes talk by gloo.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from infra.settings import Settings
from schemas.events import Preference
from tests.frozen_rows import frozen_rows
from tests.integration.two_processes import Ended, trains
from tests.pair_rows import PAIR_ROWS
from tests.tiny_policy import save_tiny_policy
from trainer.dataset import write
from trainer.policy import TrainedPolicy

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
# The last two are what `accelerate config` may well write: half-precise, and references of zeros.
LAUNCHER = (
    *(sys.executable, "-m", "accelerate.commands.launch"),
    *("--config_file", "infra/accelerate/fsdp.yaml", "--num_processes", "2"),
    *("--main_process_port", "0"),
    *("--mixed_precision", "bf16", "--fsdp_cpu_ram_efficient_loading", "true", "-m"),
)
FAST: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 1, "batch_size": 8, "checkpoints": 0}
JOBS: dict[str, dict[str, Any]] = {
    "sft": FAST | {"gradient_checkpointing": True},
    "dpo": FAST,
    "dpo lora": FAST | {"lora": {"rank": 4}},
    "kto": FAST,
    "kto lora": FAST | {"lora": {"rank": 4}},
    "reward": FAST,
}
ONLINE = {"grpo": FAST | {"answers": 4, "answer_tokens": 8}}
KILLED = FAST | {"epochs": 3, "checkpoints": 4}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has learned something: from random weights every answer is about as likely, and a
    wrong reference is hardly seen."""
    folder = tmp_path_factory.mktemp("policy")
    start = save_tiny_policy(folder / "random")
    return one_process("sft", FAST | {"epochs": 4}, start, folder / "old").path


def one_process(
    job: str,
    settings: dict[str, Any],
    policy: Path,
    out: Path,
    rows: Sequence[Preference] = PAIR_ROWS,
) -> TrainedPolicy:
    return trains(job, settings)(rows, policy, out, lambda _: None)


def two_processes(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LAUNCHER, *map(str, command)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=600,
        check=False,
    )


def sharded(
    policy: Path, folder: Path, jobs: dict[str, dict[str, Any]], **environment: str
) -> subprocess.CompletedProcess[str]:
    worker = "tests.integration.two_processes"
    return two_processes(worker, policy, folder, json.dumps(jobs), **environment)


def check_same(one: TrainedPolicy, two: TrainedPolicy) -> None:
    """The steps, every logged loss, and the weights as they lie on disk."""
    assert two.steps == one.steps
    logs = [json.loads((each.path / "training_log.json").read_text()) for each in (one, two)]
    alone, together = ([step["loss"] for step in log if "loss" in step] for log in logs)
    assert together == pytest.approx(alone, rel=1e-3, abs=1e-5), two.path.name
    before, after = (load_file(each.path / "model.safetensors") for each in (one, two))
    assert before.keys() == after.keys()
    for name, weight in before.items():
        assert weight.allclose(after[name], atol=1e-3), (two.path.name, name)


def test_sharded_trainings_reach_the_losses_and_weights_of_one_process(
    policy: Path, tmp_path: Path
) -> None:
    run = sharded(policy, tmp_path, JOBS | ONLINE)
    assert run.returncode == 0, run.stderr
    lines = [Ended.model_validate_json(line) for line in run.stdout.splitlines()]
    ended = {line.trained.path.name: line for line in lines}
    assert list(ended) == [*JOBS, *ONLINE]
    for name, two in ended.items():
        # an odd number of rows cannot be halved
        assert 0 < two.held < 0.52 * two.sharded, name
    for name, settings in JOBS.items():
        one = one_process(name, settings, policy, tmp_path / "alone" / name)
        check_same(one, ended[name].trained)
    # each process draws answers of its own; the reference is where the policy starts
    assert ended["grpo"].trained.metrics["first_kl"] == pytest.approx(0, abs=1e-6)


def test_a_sharded_training_goes_on_after_a_kill(policy: Path, tmp_path: Path) -> None:
    killed = sharded(policy, tmp_path, {"dpo": KILLED}, KILLED_AT_STEP="10")
    assert killed.returncode != 0
    assert f"Signal {signal.SIGKILL}" in killed.stderr
    (checkpoint,) = (tmp_path / "dpo.part").glob("checkpoint-*")
    # that of all processes together, as FSDP writes it
    assert (checkpoint / "pytorch_model_fsdp.bin").exists()
    run = sharded(policy, tmp_path, {"dpo": KILLED})
    assert run.returncode == 0, run.stderr
    ended = Ended.model_validate_json(run.stdout)
    assert ended.trained.resumed_from == int(checkpoint.name.removeprefix("checkpoint-")) == 9
    assert 0 < ended.held < 0.52 * ended.sharded
    whole = one_process("dpo", KILLED, policy, tmp_path / "whole")
    before, after = (
        load_file(path / "model.safetensors") for path in (whole.path, tmp_path / "dpo")
    )
    assert all(weight.allclose(after[name], atol=1e-3) for name, weight in before.items())
    assert {path.name for path in tmp_path.iterdir()} == {"dpo", "whole"}


def test_the_command_trains_sharded_and_only_the_first_process_prints(
    fresh_broker: Settings, policy: Path, tmp_path: Path
) -> None:
    pipeline = {"workload": "shop", "dpo": FAST}
    (tmp_path / "pipeline.yaml").write_text(json.dumps(pipeline), encoding="utf-8")
    dataset = frozen_rows(PAIR_ROWS)
    write(dataset, tmp_path / "pairs")
    run = two_processes(
        *("cli.main", "train", "--manifest", tmp_path / "pairs", "--ungated", "--json"),
        *("--project", tmp_path, "--policy", policy, "--out", tmp_path / "new"),
        **fresh_broker.environment(),
    )
    assert run.returncode == 0, run.stderr
    trained = TrainedPolicy.model_validate(json.loads(run.stdout)["trained"])
    one = one_process("dpo", FAST, policy, tmp_path / "alone", dataset.rows)
    check_same(one, trained)
