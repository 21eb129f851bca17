"""A database file as it was when the worker started, and whether it still is that."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError
from streams.verify.sandbox.database import Dialect

# What a writer keeps beside the file: with rows in it, the file alone is not the database.
_LOGS: dict[Dialect, tuple[str, ...]] = {"sqlite": ("-wal", "-journal"), "duckdb": (".wal",)}

_Identity = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class WarehouseFile:
    """A file with the hash of its content and what the file system said of it then."""

    path: str
    dialect: Dialect
    sha256: str
    identity: _Identity

    @classmethod
    def read(cls, path: str, dialect: Dialect) -> "WarehouseFile":
        """Hash the file; raises ConfigError where it cannot be read."""
        try:
            identity = _identity(path)
            with Path(path).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ConfigError(
                f"database file {path} cannot be read: {error.strerror}; "
                "correct its permissions or verify.databases[].path"
            ) from error
        return cls(path=path, dialect=dialect, sha256=digest, identity=identity)

    def change(self) -> str | None:
        """Why what was read of the file earlier no longer holds, None where it does."""
        try:
            identity = _identity(self.path)
        except OSError as error:
            return f"database file {self.path} is gone ({error.strerror}); restore it"
        if identity == self.identity:
            return None
        return (
            f"database file {self.path} changed while the worker ran, maybe its schema too; "
            "restart the worker, so that its verdicts name the new content"
        )

    def problem(self) -> str | None:
        """Why the file cannot be read for a verdict, None where it can."""
        return self.change() or self._being_written()

    def _being_written(self) -> str | None:
        for log in _LOGS.get(self.dialect, ()):
            try:
                if os.stat(self.path + log).st_size:
                    return (
                        f"database file {self.path} is being written: {self.path}{log} holds rows "
                        "that are not in it; close the writer or make a checkpoint"
                    )
            except OSError:
                continue
        return None


def _identity(path: str) -> _Identity:
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
