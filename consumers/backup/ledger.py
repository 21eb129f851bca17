"""The ledger of looks in a backup: copied whole and proven, and never put back shorter.

Restoring an older ledger would forget looks and readings, which is what the ledger is there to
prevent; so what is here already is kept unless the backup goes on where it ends.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from consumers.calibration.hash_chain import HashChain
from infra.stack_state import locked
from schemas.errors import ConfigError

Files = tuple[bytes, bytes]
"""The chain and its head."""

Restored = Literal["restored", "kept"]


def copy_ledger(path: Path) -> Files | None:
    """Both files as they are at one moment; None where there is no ledger yet.

    Raises ``ChainBroken`` for one that is damaged: a backup of it would only look like one.
    """
    if not path.exists():
        return None
    with locked(path.with_name(f"{path.name}.lock")):
        files = path.read_bytes(), _head(path).read_bytes()
    rows_of(files)
    return files


def fate_of(path: Path, files: Files) -> Restored:
    """Whether the backup's ledger would take the place of the one that is here; changes nothing.

    Raises ``ConfigError`` where the two went different ways, ``ChainBroken`` where one of them is
    damaged.
    """
    theirs, ours = rows_of(files), HashChain(path).rows()
    if ours and ours[: len(theirs)] == theirs:
        return "kept"
    if theirs[: len(ours)] != ours:
        raise ConfigError(
            f"{path} and the ledger of the backup went different ways after "
            f"{_common(ours, theirs)} rows; look at both and move away the one that is wrong. "
            "Nothing was restored"
        )
    return "restored"


def put_ledger(path: Path, files: Files) -> None:
    """Put the backup's ledger in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f"{path.name}.lock")):
        _put(path, files)


def rows_of(files: Files) -> tuple[dict[str, object], ...]:
    """The rows of a copied ledger, proven."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        _put(path, files)
        return HashChain(path).rows()


def _put(path: Path, files: Files) -> None:
    path.write_bytes(files[0])
    _head(path).write_bytes(files[1])


def _head(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")


def _common(ours: tuple[object, ...], theirs: tuple[object, ...]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))
