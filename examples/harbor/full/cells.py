"""One policy of one seed, measured: kept on disk, so that a run that was cut short goes on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from schemas.ids import config_hash
from schemas.records import GateResult, Record
from trainer.evaluate import Evaluation

R = TypeVar("R", bound=Record)


class Cell(Record):
    """``train_seconds`` are of all trainings behind it, its reward model's among them.

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


def read_record(path: Path, kind: type[R]) -> R | None:
    """The record in the file; None where there is none, or one that an earlier version wrote."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Write it by rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(record.model_dump_json(), encoding="utf-8")
    part.replace(path)
