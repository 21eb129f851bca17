"""What `prefstream rounds` keeps in its folder between calls."""

from pathlib import Path

from infra.full_disk import a_full_disk_is_fatal
from schemas.errors import ConfigError
from schemas.events import Calibration
from schemas.records import Record, Verdict
from trainer.rounds import RoundResult

STATE_FILE = "rounds.json"


class RoundsState(Record):
    """The rounds so far, the calibrations that they made, and the ids of the prompts that those
    asked which were trained."""

    results: tuple[RoundResult, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def done(self) -> tuple[RoundResult, ...]:
        """The rounds that were trained. One that a gate refused is begun anew: what was wrong may
        be mended by now."""
        return tuple(one for one in self.results if one.verdict is Verdict.PASS)


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
