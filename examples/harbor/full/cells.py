"""One policy of one seed, measured: kept on disk, so that a run that was cut short goes on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from schemas.errors import ConfigError
from schemas.ids import config_hash
from schemas.records import GateResult, Record
from trainer.evaluate import Evaluation

R = TypeVar("R", bound=Record)


class Cell(Record):
    """``train_seconds`` are of its own training: not of its reward model's, nor of round 1's.

    ``refusal`` is why the gates did not let it train; there is no evaluation then.
    """

    name: str
    seed: int
    rows: int = 0
    evaluation: Evaluation | None
    train_seconds: float = 0.0
    gates: tuple[GateResult, ...] = ()
    refusal: str = ""
    made_of: str
    """Hash of everything that decides it: another one is another cell."""


class Cells:
    """The cells of a folder, one file each, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, seed: int, made_of: str) -> Cell | None:
        """The cell as it was measured; None where there is none, or one of something else."""
        cell = read_record(self._path(name, seed), Cell)
        return cell if cell is not None and cell.made_of == made_of else None

    def put(self, cell: Cell) -> None:
        """Keep it."""
        write_record(self._path(cell.name, cell.seed), cell)

    def _path(self, name: str, seed: int) -> Path:
        return self._folder / f"{name}-{seed}.json"


def made_of(*parts: Record | str, seeds: Sequence[int]) -> str:
    """The hash of what decides a cell."""
    return config_hash(*parts, repr(tuple(seeds)))


def claim(path: Path, made_of: str) -> None:
    """Say in a file what is made beside it, before it is.

    Raises ``ConfigError`` where that was begun of something else: events of both would be one log.
    """
    if not path.exists():
        _write(path, made_of)
    elif path.read_text(encoding="utf-8") != made_of:
        raise ConfigError(
            f"{path.parent.parent} was begun with other settings (--quick, its project's "
            "pipeline.yaml, or another version of Harbor), whose labels would be mixed with these; "
            "take those settings, name another --data-dir, or remove the folder to begin anew"
        )


def read_record(path: Path, kind: type[R]) -> R | None:
    """The record in the file; None where there is none, or one that an earlier version wrote."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Write it by rename."""
    _write(path, record.model_dump_json())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
