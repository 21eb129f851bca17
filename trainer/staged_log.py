"""The preferences of a log on disk as columns, in its order: however many, flat in memory."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.codec import HEADER_BYTES, Codec
from schemas.errors import SchemaMismatch
from schemas.events import Messages, Preference
from schemas.records import Message, OffsetRange
from schemas.registry import RegisteredSchema
from trainer.avro_columns import DIGEST, AvroColumns, Hashed
from trainer.dataset import table_of
from trainer.freeze import Origin
from trainer.row_hash import row_body

# 20 MB of rows of 1 kB at a time.
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, kw_only=True)
class AskedPrompt:
    """A prompt of the log."""

    prompt_id: str
    prompt: Messages


@dataclass(frozen=True, kw_only=True)
class StagedLog(Origin):
    """Parquet files in ``folder``, each named after the place in the log at which it begins, with
    the digest beside each row."""

    folder: Path
    rows: int

    @property
    def files(self) -> list[str]:
        """In the order of the log."""
        return [str(file) for file in sorted(self.folder.glob("*.parquet"))]

    def prompts(self) -> Iterator[AskedPrompt]:
        """Those of every row."""
        for file in self.files:
            for row in pq.read_table(file, columns=["prompt_id", "prompt"]).to_pylist():
                turns = tuple(Message.model_validate(turn) for turn in row["prompt"])
                yield AskedPrompt(prompt_id=row["prompt_id"], prompt=turns)


def stage(
    values: Iterable[bytes | None],
    ranges: Sequence[OffsetRange],
    schema: RegisteredSchema,
    folder: Path,
) -> StagedLog:
    """The values of a log of preferences, read in ``schema``, into an empty folder."""
    staging = _Staging(schema=schema, folder=folder)
    # So that a log without any preference has columns too.
    staging.write(folder / "none.parquet", table_of(()), [])
    with closing(AvroColumns(schema)) as columns:
        rest = iter(values)
        while chunk := list(islice(rest, _ROWS_AT_ONCE)):
            staging.add(chunk, columns)
        staging.finish(columns)
    return StagedLog(
        ranges=tuple(ranges),
        schema_ids=tuple(sorted(staging.schema_ids)),
        unreadable=staging.values - staging.rows,
        folder=folder,
        rows=staging.rows,
    )


@dataclass
class _Staging:
    """While the reader makes columns of one chunk, the next one is prepared."""

    schema: RegisteredSchema
    folder: Path
    codec: Codec = field(default_factory=Codec)
    schema_ids: set[int] = field(default_factory=set)
    values: int = 0
    rows: int = 0
    reading: tuple[list[Hashed], int, Path] | None = None

    def add(self, chunk: Sequence[bytes | None], columns: AvroColumns) -> None:
        file = self.folder / f"{self.values:012}.parquet"
        self.values += len(chunk)
        header, rows, others = self._header(), [], 0
        for value in chunk:
            if value is None:
                continue
            known = value[:HEADER_BYTES] == header
            body = value[HEADER_BYTES:] if known else self._body(value)
            if body is not None:
                others += not known
                rows.append((hashlib.sha256(body).hexdigest(), body))
        self.finish(columns)
        if rows:
            columns.begin(rows, file)
            self.reading = rows, others, file

    def finish(self, columns: AvroColumns) -> None:
        if self.reading is None:
            return
        rows, others, file = self.reading
        if not columns.finish(rows, file):
            rows = self._one_by_one(rows, file)
        if len(rows) > others:
            self.schema_ids.add(self.schema.schema_id)
        self.rows += len(rows)
        self.reading = None

    def write(self, file: Path, table: pa.Table, digests: Sequence[str]) -> None:
        pq.write_table(table.append_column(DIGEST, pa.array(digests, pa.string())), file)

    def _one_by_one(self, rows: Sequence[Hashed], file: Path) -> list[Hashed]:
        """Where one body is no Avro, the others are decoded as everywhere else."""
        read = [(row, self._decoded(self._header() + row[1])) for row in rows]
        good = [(row, preference) for row, preference in read if preference is not None]
        self.write(file, table_of(one for _, one in good), [digest for (digest, _), _ in good])
        return [row for row, _ in good]

    def _header(self) -> bytes:
        return bytes(1) + self.schema.schema_id.to_bytes(4, "big")

    def _body(self, value: bytes) -> bytes | None:
        """The body of a row of another version; None where the value is no preference."""
        preference = self._decoded(value)
        if preference is None:
            return None
        self.schema_ids.add(int.from_bytes(value[1:HEADER_BYTES], "big"))
        return row_body(preference, self.schema)

    def _decoded(self, value: bytes) -> Preference | None:
        try:
            event = self.codec.decode(value)
        except SchemaMismatch:
            return None
        return event if isinstance(event, Preference) else None
