"""The events of a log on disk as columns, in its order: however many, flat in memory."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.codec import HEADER_BYTES, Codec
from schemas.errors import SchemaMismatch
from schemas.events import EVENTS, Event, Messages
from schemas.records import Message, OffsetRange, PreferenceSource
from schemas.registry import RegisteredSchema
from trainer.avro_chunk import Places
from trainer.avro_columns import plain_rows
from trainer.dataset import table_of
from trainer.row_hash import newest_schema, row_digest

# What is in memory at a time; many rows at once are read fastest, and rows may be large.
_ROWS_AT_ONCE = 20_000
_BYTES_AT_ONCE = 32 * 1024 * 1024
# What a query over the log may hold before it spills to disk.
_MEMORY = "512MB"
_PROMPTS_AT_ONCE = 1_000


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
    """A prompt of a log of preferences, and who decided its pairs."""

    prompt_id: str
    prompt: Messages
    sources: frozenset[PreferenceSource]


@dataclass(frozen=True, kw_only=True)
class StagedLog:
    """Parquet files in ``folder`` of the ``rows`` that are events of ``schema``'s topic, each with
    its place in the log (``_ordinal``) and the SHA-256 of its Avro body (``_digest``)."""

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
        """A database with the rows as the view ``log``."""
        with duckdb.connect() as db:
            db.execute(f"SET memory_limit = '{_MEMORY}'; SET enable_progress_bar = false")
            db.execute("SET temp_directory = $folder", {"folder": str(self.folder / "spilled")})
            db.read_parquet(str(self.folder / "*.parquet")).create_view("log")
            yield db

    def prompts(self) -> Iterator[AskedPrompt]:
        """Every prompt once."""
        with self.connect() as db:
            found = db.execute(
                "SELECT prompt_id, any_value(prompt), list(DISTINCT source) FROM log GROUP BY ALL"
            )
            while rows := found.fetchmany(_PROMPTS_AT_ONCE):
                for prompt_id, turns, sources in rows:
                    yield AskedPrompt(
                        prompt_id=prompt_id,
                        # They were validated when they were written, or read one by one.
                        prompt=tuple(Message.model_construct(**turn) for turn in turns),
                        sources=frozenset(map(PreferenceSource, sources)),
                    )


@contextmanager
def staged(log: LogValues) -> Iterator[StagedLog]:
    """A log of preferences in a folder that is gone afterwards. Raises as ``stage``."""
    with TemporaryDirectory(prefix="freeze-") as name:
        yield stage(log, newest_schema(), Path(name))


def stage(log: LogValues, schema: RegisteredSchema, folder: Path) -> StagedLog:
    """The log, read in ``schema``, into an empty folder; what is no event of its topic is counted.

    Raises what reading the log raises.
    """
    staging = _Staging(schema=schema)
    # So that a log without any event has columns too.
    staging.write((), folder)
    for chunk in _chunks(log.values):
        staging.write(chunk, folder)
    return StagedLog(
        schema=schema,
        ranges=log.ranges,
        schema_ids=tuple(sorted(staging.schema_ids)),
        rows=staging.rows,
        unreadable=staging.values - staging.rows,
        folder=folder,
    )


def _chunks(values: Iterable[bytes | None]) -> Iterator[list[bytes]]:
    """A tombstone is a value of no bytes here: both are no event."""
    chunk: list[bytes] = []
    size = 0
    for value in values:
        chunk.append(value or b"")
        size += len(chunk[-1])
        if len(chunk) == _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield chunk
            chunk, size = [], 0
    yield chunk


@dataclass
class _Staging:
    schema: RegisteredSchema
    codec: Codec = field(default_factory=Codec)
    schema_ids: set[int] = field(default_factory=set)
    values: int = 0
    rows: int = 0

    def write(self, chunk: Sequence[bytes], folder: Path) -> None:
        """The next values of the log as a file."""
        header = bytes(1) + self.schema.schema_id.to_bytes(HEADER_BYTES - 1, "big")
        framed = [value.startswith(header) for value in chunk]
        bodies = [value[HEADER_BYTES:] for value, known in zip(chunk, framed, strict=True) if known]
        event = EVENTS[self.schema.topic]
        table, plain = plain_rows(bodies, self.schema.schema, event)
        if not plain.all():
            bodies = [body for body, one in zip(bodies, plain, strict=True) if one]
        is_plain = np.array(framed, np.bool_)
        is_plain[is_plain] = plain
        if bodies:
            self.schema_ids.add(self.schema.schema_id)
        digests = [hashlib.sha256(body).digest() for body in bodies]
        parts = [_placed(table, self.values + np.flatnonzero(is_plain), digests)]
        if not is_plain.all():
            parts.append(self._one_by_one(chunk, np.flatnonzero(~is_plain)))
        whole = pa.concat_tables(parts)
        # Read once and thrown away: what costs time to write is left out.
        pq.write_table(
            whole,
            folder / f"{self.values:012}.parquet",
            use_dictionary=False,
            write_statistics=False,
        )
        self.values += len(chunk)
        self.rows += len(whole)

    def _one_by_one(self, chunk: Sequence[bytes], places: Places) -> pa.Table:
        """Rows of other versions, and whatever is not plain, decoded as everywhere else."""
        found: list[tuple[int, Event]] = []
        for place in places.tolist():
            try:
                event = self.codec.decode(chunk[place])
            except SchemaMismatch:
                continue
            if isinstance(event, EVENTS[self.schema.topic]):
                found.append((self.values + place, event))
                self.schema_ids.add(int.from_bytes(chunk[place][1:HEADER_BYTES], "big"))
        rows = [event for _, event in found]
        digests = [row_digest(row, self.schema) for row in rows]
        return _placed(table_of(rows, self.schema), [ordinal for ordinal, _ in found], digests)


def _placed(table: pa.Table, ordinals: object, digests: Sequence[bytes]) -> pa.Table:
    table = table.append_column("_ordinal", pa.array(ordinals, pa.int64()))
    return table.append_column("_digest", pa.array(digests, pa.binary()))
