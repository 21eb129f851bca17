"""What a training cannot go on with ends in one sentence and leaves the output where it was."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import ConfigError, Fatal
from tests.frozen_rows import frozen_rows
from tests.full_disk import room_for
from tests.pair_rows import PAIR_ROWS
from tests.preferences import said
from tests.tiny_policy import save_tiny_policy
from trainer.checkpoint import part_dir
from trainer.dataset import load, write
from trainer.dpo import DpoConfig, train
from trainer.policy import Progress
from trainer.precision import computes_in_bfloat16

pytestmark = pytest.mark.integration

FAST: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 3, "batch_size": 8}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def ignore(_: Progress) -> None: ...


def test_a_disk_that_is_full_from_the_start(policy: Path, tmp_path: Path) -> None:
    with room_for(40_000), pytest.raises(Fatal, match=r"new\.part: no room to write"):
        train(PAIR_ROWS, policy, DpoConfig(**FAST), tmp_path / "new", ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_costs_no_step_that_was_saved(policy: Path, tmp_path: Path) -> None:
    full = room_for(40_000)

    def fills(progress: Progress) -> None:
        if progress.step == 10:
            full.__enter__()

    out = tmp_path / "new"
    try:
        with pytest.raises(Fatal, match="free some space and start the same command again"):
            train(PAIR_ROWS, policy, DpoConfig(**FAST), out, fills)
    finally:
        full.__exit__(None, None, None)
    assert not out.exists()
    assert part_dir(out).exists()
    assert train(PAIR_ROWS, policy, DpoConfig(**FAST), out, ignore).resumed_from > 0
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_checkpoint_that_was_copied_half_or_is_of_another_size_is_named(tmp_path: Path) -> None:
    half, other = (save_tiny_policy(tmp_path / name) for name in ("half", "other"))
    weights = half / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    config = other / "config.json"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('"hidden_size": 32', '"hidden_size": 64'), encoding="utf-8")
    for folder in (half, other):
        with pytest.raises(ConfigError, match=f"{folder.name}: the checkpoint cannot be loaded"):
            train(PAIR_ROWS, folder, DpoConfig(**FAST), tmp_path / "new", ignore)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half", "other"]


def test_turns_that_the_chat_template_refuses_are_named(tmp_path: Path) -> None:
    strict = (
        "{% for m in messages %}{% if m['role'] == 'system' %}"
        "{{ raise_exception('no system turn') }}{% endif %}{{ m['content'] }} {% endfor %}"
    )
    policy = save_tiny_policy(tmp_path / "old", template=strict)
    rule = said("be good", "system")
    rows = [row.model_copy(update={"prompt": rule + row.prompt}) for row in PAIR_ROWS]
    with pytest.raises(ConfigError, match=r"old: its chat template refuses turns of system, user"):
        train(rows, policy, DpoConfig(**FAST), tmp_path / "new", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_dataset_without_room_is_no_dataset(tmp_path: Path) -> None:
    dataset = frozen_rows(PAIR_ROWS)
    with room_for(100), pytest.raises(Fatal, match="no room to write"):
        write(dataset, tmp_path / "data")
    with pytest.raises(ConfigError, match="no such manifest"):
        load(tmp_path / "data")
    write(dataset, tmp_path / "data")
    assert load(tmp_path / "data") == dataset


def test_a_tracker_that_is_not_installed_is_named(policy: Path, tmp_path: Path) -> None:
    config = DpoConfig(**FAST, report_to=("mlflow",))
    with pytest.raises(ConfigError, match="report_to names mlflow, which is not installed"):
        train(PAIR_ROWS, policy, config, tmp_path / "new", ignore)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValidationError, match="'tensorboard', 'mlflow', 'wandb' or 'trackio'"):
        DpoConfig.model_validate({"report_to": ["elsewhere"]})


def test_bfloat16_is_computed_in_only_where_the_hardware_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flags = tmp_path / "cpuinfo"
    monkeypatch.setattr("streams.inference.device._CPU_INFO", flags)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    flags.write_text("flags : avx2 avx512f\n")
    assert not computes_in_bfloat16("auto")
    with pytest.raises(ConfigError, match="nothing this hardware has"):
        computes_in_bfloat16("bfloat16")
    flags.write_text("flags : avx2 avx512_bf16\n")
    assert computes_in_bfloat16("bfloat16")
    assert not computes_in_bfloat16("auto")
    assert not computes_in_bfloat16("float32")
