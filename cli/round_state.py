"""What `prefstream rounds` keeps in its folder between calls."""

from pathlib import Path

from infra.full_disk import a_full_disk_is_fatal
from schemas.errors import ConfigError
from schemas.events import Calibration
from schemas.records import Record
from trainer.rounds import RoundResult

STATE_FILE = "rounds.json"


class RoundsState(Record):
    """The rounds so far, and the calibrations that they made."""

    results: tuple[RoundResult, ...] = ()
    calibrations: tuple[Calibration, ...] = ()


def read_state(out: Path) -> RoundsState:
    """What earlier calls came to; raises ``ConfigError`` where the file is damaged."""
    path = out / STATE_FILE
    if not path.exists():
        return RoundsState()
    try:
        return RoundsState.model_validate_json(path.read_bytes())
    except ValueError:
        raise ConfigError(f"{path}: damaged; choose another folder, or remove it") from None


def write_state(out: Path, state: RoundsState) -> None:
    """Keep it: whole, or as it was; ``Fatal`` where there is no room."""
    part = out / f"{STATE_FILE}.part"
    with a_full_disk_is_fatal(out):
        out.mkdir(parents=True, exist_ok=True)
        part.write_text(state.model_dump_json(), encoding="utf-8")
        part.replace(out / STATE_FILE)
