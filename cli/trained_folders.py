"""What trainings of `prefstream trainer` leave on the disk: the newest stay, and what is named."""

import logging
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Run
from schemas.records import RunStatus
from trainer.promotion.model_registry import ModelRegistry

_WAIT = (RunStatus.CLEARED, RunStatus.ROLLED_BACK)
_log = logging.getLogger("prefstream.trainer")


def trained_dir(settings: Settings) -> Path:
    """Where they write: log, dataset and policy, each with the training's name before it."""
    return (settings.data_dir / "trained").absolute()


def training_name(told: Run) -> str:
    """The name of the training that this decision started, whatever else shares the folder: no two
    terms have the same epoch, of whatever workloads."""
    return f"{told.occurred_at:%Y%m%dT%H%M%S}-{told.epoch}"


def spent(runs: Iterable[Run], keep: int, named: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """The trainings that need not be kept: those that the log tells of, but the newest ``keep`` and
    those by whose name one of the ``named`` paths begins in ``folder``. Pure.
    """
    trainings = {training_name(run) for run in runs if run.status is RunStatus.TRIGGERED}
    used = {path.relative_to(folder).parts[0] for path in named if folder in path.parents}
    old = sorted(trainings)[:-keep]
    return tuple(name for name in old if not any(one.startswith(name) for one in used))


def to_promote(runs: Sequence[Run]) -> list[Path]:
    """The policies that their gates cleared and that do not serve: not yet, or not any more. Pure.

    ``runs`` in the order of the log.
    """
    last = {run.run_id: run.status for run in runs}
    trained = (run for run in runs if run.status is RunStatus.TRAINED)
    return [Path(run.checkpoint) for run in trained if last[run.run_id] in _WAIT]


def remove_spent(
    settings: Settings, runs: Sequence[Run], registry: ModelRegistry, start: Path, keep: int
) -> None:
    """Remove old trainings, and say which; nothing where that cannot be done, or is not known.

    Kept are the newest, the policy that every training starts from, what waits to be promoted, and
    what versions and the alias name.
    """
    folder = trained_dir(settings)
    try:
        named = [start, *to_promote(runs), *registry.names()]
        removed = []
        for name in spent(runs, keep, [path.resolve() for path in named], folder.resolve()):
            found = [*folder.glob(f"{name}*"), *folder.glob(f".{name}*")]
            for path in found:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            removed += [name] if found else []
    except (OSError, ConfigError) as error:
        _log.warning("old trainings stay", extra={"reason": str(error)})
        return
    if removed:
        _log.info("removed old trainings", extra={"removed": ",".join(removed), "kept": keep})
