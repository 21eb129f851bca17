"""The events of a log on disk, read from there in any order: however many, flat in memory."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from schemas.codec import Codec
from schemas.events import Event, Messages
from schemas.records import Message, OffsetRange
from schemas.registry import RegisteredSchema
from trainer.dataset import table_of
from trainer.handover import hand_over
from trainer.plain_rows import plain_rows
from trainer.row_hash import newest_schema
from trainer.staging import Staging

# What is in memory at a time; many rows at once are read fastest, and rows may be large.
_ROWS_AT_ONCE = 5_000
_BYTES_AT_ONCE = 32 * 1024 * 1024
# What a query over the log may hold before it spills to disk.
_MEMORY = "256MB"
_FETCHED_AT_ONCE = 10_000
_VALUES = "values"
_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class LogValues:
    """The values of a log, not decoded, and the offsets at which they stand."""

    values: Iterable[bytes | None]
    ranges: tuple[OffsetRange, ...] = ()


def values_of(events: Iterable[Event]) -> LogValues:
    """Events in this process as a log of them."""
    codec = Codec()
    return LogValues(values=map(codec.encode, events))


@dataclass(frozen=True, kw_only=True)
class AskedPrompt:
    """A prompt of a log of preferences."""

    prompt_id: str
    prompt: Messages


@dataclass(frozen=True, kw_only=True)
class StagedLog:
    """In ``folder``, of the ``rows`` that are events of ``schema``'s topic: their values in that
    schema, one after the other, and by columns what freeze decides by (``freeze_keys``), with where
    each value lies (``_start``, ``_size``: in the order of the log)."""

    schema: RegisteredSchema
    ranges: tuple[OffsetRange, ...]
    schema_ids: tuple[int, ...]
    rows: int
    unreadable: int
    folder: Path

    @property
    def removed(self) -> dict[str, int]:
        """By reason, what is no row: no events, or of another topic."""
        return {"unreadable": self.unreadable} if self.unreadable else {}

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database with the keys as the view ``log``."""
        with duckdb.connect() as db:
            db.execute(f"SET memory_limit = '{_MEMORY}'; SET enable_progress_bar = false")
            db.execute("SET temp_directory = $folder", {"folder": str(self.folder / "spilled")})
            db.read_parquet(str(self.folder / "*.parquet")).create_view("log")
            yield db

    def values(self, places: Iterable[tuple[int, int]]) -> Iterator[list[bytes]]:
        """The rows at these starts, with these sizes, in this order, some at a time."""
        with (self.folder / _VALUES).open("rb") as file:
            whole = file.fileno()
            yield from _chunks(os.pread(whole, size, start) for start, size in places)

    def table(self, values: Sequence[bytes]) -> pa.Table:
        """Rows of this log as the columns of a dataset."""
        read = plain_rows(values, self.schema)
        if read.plain.all():
            return read.table()
        codec = Codec()
        places, others = np.flatnonzero(read.plain), np.flatnonzero(~read.plain)
        decoded = [codec.decode(values[place]) for place in others.tolist()]
        both = pa.concat_tables([read.table(), table_of(decoded, self.schema)])
        return both.take(np.argsort(np.concatenate([places, others])))

    def prompts(self, workload_id: str | None) -> Iterator[AskedPrompt]:
        """Every prompt of the workload (None = of any) once."""
        with self.connect() as db:
            db.execute(
                "CREATE TEMP TABLE asked AS "
                "SELECT min(_start), arg_min(_size, _start) FROM log "
                "WHERE $workload IS NULL OR workload_id = $workload "
                "GROUP BY prompt_id ORDER BY ALL",
                {"workload": workload_id},
            )
            for table in map(self.table, self.values(fetched(db, "FROM asked"))):
                columns = table["prompt_id"].to_pylist(), table["prompt"].to_pylist()
                for prompt_id, turns in zip(*columns, strict=True):
                    yield AskedPrompt(
                        prompt_id=prompt_id,
                        # They were validated when they were written, or read one by one.
                        prompt=tuple(Message.model_construct(**turn) for turn in turns),
                    )


@contextmanager
def staged(log: LogValues) -> Iterator[StagedLog]:
    """A log of preferences in a folder that is gone afterwards. Raises as ``stage``."""
    with TemporaryDirectory(prefix="freeze-") as name:
        yield stage(log, newest_schema(), Path(name))


def fetched(db: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, some at a time."""
    for batch in db.sql(query).to_arrow_reader(_FETCHED_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def stage(log: LogValues, schema: RegisteredSchema, folder: Path) -> StagedLog:
    """The log, read in ``schema``, into an empty folder; what is no event of its topic is counted.

    Raises what reading the log raises.
    """
    with (folder / _VALUES).open("wb", buffering=_BUFFER_BYTES) as file:
        staging = Staging(schema=schema, folder=folder, file=file)
        hand_over(map(staging.read, _chunks(log.values)), staging.write)
    return StagedLog(
        schema=schema,
        ranges=log.ranges,
        schema_ids=tuple(sorted(staging.schema_ids)),
        rows=staging.rows,
        unreadable=staging.values - staging.rows,
        folder=folder,
    )


def _chunks(values: Iterable[bytes | None]) -> Iterator[list[bytes]]:
    """At least one. A tombstone is a value of no bytes here: both are no event."""
    chunk: list[bytes] = []
    size = 0
    for value in values:
        chunk.append(value or b"")
        size += len(chunk[-1])
        if len(chunk) == _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield chunk
            chunk, size = [], 0
    yield chunk
