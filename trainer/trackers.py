"""Trackers that a training reports to, by TRL's own reporting."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ConfigError
from trainer.training_config import Tracker

_TENSORBOARD_DIR = "TENSORBOARD_LOGGING_DIR"
# tensorboardX does too
_MODULES: dict[Tracker, tuple[str, ...]] = {"tensorboard": ("tensorboard", "tensorboardX")}


def check_trackers(trackers: Sequence[Tracker]) -> None:
    """Raise ``ConfigError`` where one is not installed."""
    for tracker in trackers:
        if not any(map(importlib.util.find_spec, _MODULES.get(tracker, (tracker,)))):
            raise ConfigError(
                f"report_to names {tracker}, which is not installed; install the package "
                f"{tracker} or leave it out of report_to"
            )


@contextmanager
def curves_of(out_dir: Path) -> Iterator[None]:
    """TensorBoard's folder of a training is one that outlives it, unless the user named one."""
    if _TENSORBOARD_DIR in os.environ:
        yield
        return
    os.environ[_TENSORBOARD_DIR] = str(out_dir.with_name(f"{out_dir.name}.curves"))
    try:
        yield
    finally:
        del os.environ[_TENSORBOARD_DIR]
