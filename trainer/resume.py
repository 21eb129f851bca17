"""An unfinished training: what it was started with, and the checkpoint that it goes on from.

OUT.part/started.json      its origin
OUT.part/checkpoint-120/   weights, optimiser, schedule and random state after 120 steps
OUT.part/checkpoint-120/complete    written last
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.records import Record
from trainer import processes

if TYPE_CHECKING:
    from transformers import TrainerCallback

_ORIGIN_FILE = "started.json"
_COMPLETE = "complete"
_PREFIX = "checkpoint-"


class Origin(Record):
    """Everything that decides which weights a training ends with."""

    algorithm: str
    config: dict[str, str]
    rows_sha256: str
    policy: str
    """Its fingerprint."""
    processes: int


def begin(part: Path, origin: Origin) -> Path | None:
    """The newest complete checkpoint in ``part`` to go on from; None = start from the policy.

    Half-written ones are removed. Raises ``ConfigError`` where ``part`` is of another training.
    """
    found = _unfinished(part)
    newest = _newest(part)
    if newest is not None and found != origin:
        raise ConfigError(
            f"{part} holds a training that was ended after {steps_of(newest)} steps, with "
            f"{_difference(found, origin)}; start it again as it was to go on, or remove the folder"
        )
    if newest is None:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        (part / _ORIGIN_FILE).write_text(origin.model_dump_json(indent=2), encoding="utf-8")
    for path in part.iterdir():
        if path.is_dir() and path != newest:
            shutil.rmtree(path)
    return newest


def can_resume(part: Path) -> bool:
    """Whether ``part`` holds a complete checkpoint."""
    return _newest(part) is not None


def steps_of(checkpoint: Path | None) -> int:
    """After how many steps it was saved, 0 for None."""
    return int(checkpoint.name.removeprefix(_PREFIX)) if checkpoint else 0


def marking() -> "TrainerCallback":
    """A callback that marks each saved checkpoint as complete and then removes those before it."""
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

    class Marking(TrainerCallback):  # type: ignore[misc,unused-ignore]
        def on_save(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            **kwargs: object,
        ) -> None:
            del control, kwargs  # the signature is the library's
            # Others may still be writing their shards and random state.
            processes.wait_for_all()
            if state.is_world_process_zero:
                part = Path(args.output_dir or "")
                newest = part / f"{_PREFIX}{state.global_step}"
                (newest / _COMPLETE).touch()
                for path in _checkpoints(part):
                    if path != newest:
                        shutil.rmtree(path)

    return Marking()


def _checkpoints(part: Path) -> list[Path]:
    return sorted(part.glob(f"{_PREFIX}*"), key=steps_of)


def _newest(part: Path) -> Path | None:
    complete = [path for path in _checkpoints(part) if (path / _COMPLETE).exists()]
    return complete[-1] if complete else None


def _unfinished(part: Path) -> Origin | None:
    try:
        return Origin.model_validate_json((part / _ORIGIN_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def _difference(found: Origin | None, wanted: Origin) -> str:
    """Which settings differ, the first few by name."""
    if found is None:
        return "settings that cannot be read any more"
    before, now = _flat(found), _flat(wanted)
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return "another " + ", ".join(
        name if name == "rows_sha256" else f"{name} ({before.get(name)}, now {now.get(name)})"
        for name in names
    )


def _flat(origin: Origin) -> dict[str, str]:
    return origin.config | {
        name: str(value) for name, value in origin.model_dump(exclude={"config"}).items()
    }
