"""Which files the children of a pool may read."""

from collections.abc import Iterable
from pathlib import Path

# What an engine keeps beside a database that was not closed cleanly, and reads with it.
_SIDECARS = (".wal",)


class ReadablePaths:
    """Files, and folders with all below them; grows with the databases that queries name."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(str(Path(path).resolve()) for path in paths)
        self._entry: dict[str, str] = {}

    @property
    def paths(self) -> frozenset[str]:
        """All entries, as children are told."""
        return self._paths | {path + end for path in self._paths for end in _SIDECARS}

    def add(self, path: str) -> None:
        """Allow one more file or folder."""
        self._paths |= {str(Path(path).resolve())}

    def has_grown(self, entry: str | None, told: frozenset[str]) -> bool:
        """Whether a child that was told these paths is yet to be told of the entry."""
        return entry is not None and entry not in told and entry in self._paths

    def entry_of(self, path: str) -> str:
        """The entry that allows this file, which is added if there is none."""
        if path not in self._entry:
            file = Path(path).resolve()
            known = (str(each) for each in (file, *file.parents) if str(each) in self._paths)
            entry = next(known, None) or str(file)
            if not file.exists():  # nothing to allow yet, and an error to report
                return entry
            self._paths |= {entry}
            self._entry[path] = entry
        return self._entry[path]
