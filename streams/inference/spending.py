"""What a stage has spent, on disk: a restarted worker is bound by what was spent before."""

from pathlib import Path
from typing import Final

from infra.sqlite_file import SqliteFile
from schemas.records import Record

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS spending (stage TEXT, hour INTEGER, usd REAL NOT NULL, "
    "PRIMARY KEY (stage, hour)) WITHOUT ROWID"
)
_ADD: Final = (
    "INSERT INTO spending VALUES (?, ?, ?) "
    "ON CONFLICT (stage, hour) DO UPDATE SET usd = usd + excluded.usd"
)
_READ: Final = (
    "SELECT coalesce(sum(usd) FILTER (WHERE hour = ?), 0), coalesce(sum(usd), 0) "
    "FROM spending WHERE stage = ?"
)
_HOUR_S: Final = 3600


class Spent(Record):
    """USD spent in this hour of the clock, and in all."""

    hour_usd: float
    total_usd: float


class SpendingLedger:
    """USD by stage and hour in one SQLite file, shared by the workers of a machine.

    Times are in seconds since 1970. Raises ``Fatal`` where the file cannot be used.
    """

    def __init__(self, path: Path | None, stage: str) -> None:
        """Open or create the file; without a path it is forgotten with this object."""
        self._file = SqliteFile(path, _TABLE, what="spending ledger")
        self._stage = stage

    def add(self, usd: float, at_s: float) -> None:
        """Note what was spent; it is in the file when this returns."""
        self._file.execute(_ADD, (self._stage, int(at_s // _HOUR_S), usd))

    def spent(self, at_s: float) -> Spent:
        """What was spent in the hour of ``at_s``, and in all."""
        row = self._file.execute(_READ, (int(at_s // _HOUR_S), self._stage))
        assert row is not None
        return Spent.model_validate({"hour_usd": row[0], "total_usd": row[1]})

    def close(self) -> None:
        """Close the file."""
        self._file.close()
