"""Trackers that a training reports to, by TRL's own reporting."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigError
from trainer.training_config import Tracker

_TENSORBOARD_DIR = "TENSORBOARD_LOGGING_DIR"
# tensorboardX does too
_MODULES: dict[Tracker, tuple[str, ...]] = {"tensorboard": ("tensorboard", "tensorboardX")}


def open_trackers(trackers: Sequence[Tracker], out_dir: Path) -> None:
    """Check that each is installed, and give TensorBoard a folder that outlives the training.

    Raises ``ConfigError`` where one is not.
    """
    for tracker in trackers:
        if not any(map(importlib.util.find_spec, _MODULES.get(tracker, (tracker,)))):
            raise ConfigError(
                f"report_to names {tracker}, which is not installed; install the package "
                f"{tracker} or leave it out of report_to"
            )
    if "tensorboard" in trackers:
        os.environ.setdefault(_TENSORBOARD_DIR, str(out_dir.with_name(f"{out_dir.name}.curves")))
