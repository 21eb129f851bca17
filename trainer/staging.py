"""Writing the events of a log to disk: their values, and beside them what freeze decides by."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.codec import HEADER_BYTES, Codec, header
from schemas.errors import SchemaMismatch
from schemas.events import EVENTS, Event
from schemas.registry import RegisteredSchema
from trainer.avro_chunk import Places
from trainer.freeze_keys import keys_of, plain_keys
from trainer.plain_rows import plain_rows
from trainer.row_hash import row_body


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows: their values and their keys, and where in the log they begin."""

    begin: int
    values: Sequence[bytes]
    keys: pa.Table


@dataclass(kw_only=True)
class Staging:
    """Writes a log as ``StagedLog`` has it: its keys to ``folder``, its rows to ``file``."""

    schema: RegisteredSchema
    folder: Path
    file: BinaryIO
    codec: Codec = field(default_factory=Codec)
    schema_ids: set[int] = field(default_factory=set)
    values: int = 0
    rows: int = 0
    size: int = 0

    def read(self, values: Sequence[bytes]) -> Chunk:
        """The rows among the next values of the log."""
        read = plain_rows(values, self.schema)
        framed = values if read.plain.all() else list(compress(values, read.plain))
        if framed:
            self.schema_ids.add(self.schema.schema_id)
        keys = plain_keys(EVENTS[self.schema.topic], framed, read)
        if len(framed) < len(values):
            others = self._one_by_one(values, np.flatnonzero(~read.plain))
            rows = list(others.values())
            order = np.argsort([*np.flatnonzero(read.plain).tolist(), *others])
            keys = pa.concat_tables([keys, keys_of(rows, self.schema)]).take(order)
            frame = header(self.schema.schema_id)
            both = [*framed, *(frame + row_body(row, self.schema) for row in rows)]
            framed = [both[place] for place in order.tolist()]
        chunk = Chunk(begin=self.values, values=framed, keys=self._placed(keys, framed))
        self.values += len(values)
        return chunk

    def write(self, chunk: Chunk) -> None:
        """What was read, to disk."""
        self.file.writelines(chunk.values)
        # Read once and thrown away: what costs time to write is left out.
        pq.write_table(
            chunk.keys,
            self.folder / f"{chunk.begin:012}.parquet",
            compression="none",
            use_dictionary=False,
            write_statistics=False,
        )

    def _one_by_one(self, values: Sequence[bytes], places: Places) -> dict[int, Event]:
        """Rows of other versions, and whatever is not plain, decoded as everywhere else."""
        found: dict[int, Event] = {}
        for place in places.tolist():
            try:
                event = self.codec.decode(values[place])
            except SchemaMismatch:
                continue
            if isinstance(event, EVENTS[self.schema.topic]):
                found[place] = event
                self.schema_ids.add(int.from_bytes(values[place][1:HEADER_BYTES], "big"))
        return found

    def _placed(self, keys: pa.Table, rows: Sequence[bytes]) -> pa.Table:
        """The keys, and where in the file their rows will be."""
        sizes = np.fromiter(map(len, rows), np.int64, len(rows))
        ends = self.size + np.cumsum(sizes)
        keys = keys.append_column("_start", pa.array(ends - sizes))
        self.rows += len(rows)
        self.size += int(sizes.sum())
        return keys.append_column("_size", pa.array(sizes))
