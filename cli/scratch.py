"""Room for what is needed while a folder is made: beside it, on its disk, and gone afterwards."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.full_disk import a_full_disk_is_fatal
from schemas.errors import ConfigError


@contextmanager
def scratch(folder: Path, work: str) -> Iterator[Path]:
    """An empty folder beside ``folder``, for ``work`` on it; a killed one leaves it to the next.

    It is gone afterwards, with the folders above it that nothing else was written to. Raises
    ``ConfigError`` where another process is at the same work there, ``Fatal`` where what is done
    inside finds no room.
    """
    parts = folder.with_name(f".{folder.name}.{work}")
    above = [parent for parent in folder.parents if not parent.exists()]
    parts.mkdir(parents=True, exist_ok=True)
    held = os.open(parts, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise ConfigError(
            f"{folder}: another process is {work} there; wait for it, or name another folder"
        ) from None
    try:
        _empty(parts)
        with a_full_disk_is_fatal(folder):
            yield parts
    finally:
        shutil.rmtree(parts)
        os.close(held)
        with suppress(OSError):
            for parent in above:
                parent.rmdir()


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
