"""A training tells the tracker that the user names, through TRL's own reporting."""

import struct
from pathlib import Path
from typing import Any

import pytest

from tests.pair_rows import PAIR_ROWS
from tests.tiny_policy import save_tiny_policy
from trainer.dpo import DpoConfig, train
from trainer.policy import Progress

pytestmark = pytest.mark.integration

FAST: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 1, "batch_size": 8}


def curve(folder: Path, name: str) -> dict[int, float]:
    """By step what TensorBoard would draw: length, checksum, event and checksum again and again."""
    from tensorboardX.proto.event_pb2 import Event

    drawn: dict[int, float] = {}
    for file in folder.rglob("events.out.tfevents.*"):
        data, at = file.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + length])
            for one in event.summary.value:
                if one.tag == name:
                    drawn[event.step] = one.simple_value
            at += length + 16
    return drawn


def test_each_training_draws_its_own_curves(tmp_path: Path) -> None:
    policy = save_tiny_policy(tmp_path / "old")
    config = DpoConfig(**FAST, report_to=("tensorboard",))
    for name in ("one", "two"):
        logged: list[Progress] = []
        train(PAIR_ROWS, policy, config, tmp_path / name, logged.append)
        told = {one.step: one.metrics["loss"] for one in logged if "loss" in one.metrics}
        assert told
        assert curve(tmp_path / f"{name}.curves", "train/loss") == pytest.approx(told, abs=1e-6)
