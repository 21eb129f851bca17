"""Writing the events of a log to disk: their bodies, and beside them what freeze decides by."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.codec import HEADER_BYTES, Codec
from schemas.errors import SchemaMismatch
from schemas.events import EVENTS, Event
from schemas.registry import RegisteredSchema
from trainer.avro_chunk import Places
from trainer.freeze_keys import keys_of, plain_keys
from trainer.plain_rows import PlainRows, plain_rows
from trainer.row_hash import row_body


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some values of the log: at which ``places`` are plain rows, and these."""

    values: Sequence[bytes]
    places: Places
    bodies: list[bytes]
    rows: PlainRows


@dataclass(kw_only=True)
class Staging:
    """Writes a log as ``StagedLog`` has it: its keys to ``folder``, its rows to ``bodies``."""

    schema: RegisteredSchema
    folder: Path
    bodies: BinaryIO
    codec: Codec = field(default_factory=Codec)
    schema_ids: set[int] = field(default_factory=set)
    values: int = 0
    rows: int = 0

    def read(self, chunk: Sequence[bytes]) -> Chunk:
        """What is plain among some values."""
        header = header_of(self.schema)
        framed = np.flatnonzero([value.startswith(header) for value in chunk])
        bodies = [chunk[place][HEADER_BYTES:] for place in framed.tolist()]
        rows = plain_rows(bodies, self.schema.schema, EVENTS[self.schema.topic])
        if not rows.plain.all():
            bodies = list(compress(bodies, rows.plain))
        return Chunk(values=chunk, places=framed[rows.plain], bodies=bodies, rows=rows)

    def write(self, chunk: Chunk) -> None:
        """The next values of the log, and what of them was read."""
        bodies, places = chunk.bodies, chunk.places
        keys = plain_keys(EVENTS[self.schema.topic], bodies, chunk.rows)
        if bodies:
            self.schema_ids.add(self.schema.schema_id)
        if len(places) < len(chunk.values):
            left = np.setdiff1d(np.arange(len(chunk.values)), places)
            others = self._one_by_one(chunk.values, left)
            rows = list(others.values())
            order = np.argsort(np.concatenate([places, np.array(list(others), np.int64)]))
            keys = pa.concat_tables([keys, keys_of(rows, self.schema)]).take(order)
            bodies = [*bodies, *(row_body(row, self.schema) for row in rows)]
            bodies = [bodies[place] for place in order.tolist()]
        self._append(keys, bodies)
        self.values += len(chunk.values)

    def _one_by_one(self, chunk: Sequence[bytes], places: Places) -> dict[int, Event]:
        """Rows of other versions, and whatever is not plain, decoded as everywhere else."""
        found: dict[int, Event] = {}
        for place in places.tolist():
            try:
                event = self.codec.decode(chunk[place])
            except SchemaMismatch:
                continue
            if isinstance(event, EVENTS[self.schema.topic]):
                found[place] = event
                self.schema_ids.add(int.from_bytes(chunk[place][1:HEADER_BYTES], "big"))
        return found

    def _append(self, keys: pa.Table, bodies: Sequence[bytes]) -> None:
        digests = [hashlib.sha256(body).digest() for body in bodies]
        sizes = np.fromiter(map(len, bodies), np.int64, len(bodies))
        starts = self.bodies.tell() + np.cumsum(sizes) - sizes
        keys = keys.append_column("_start", pa.array(starts))
        keys = keys.append_column("_size", pa.array(sizes))
        keys = keys.append_column("_digest", pa.array(digests, pa.binary()))
        self.bodies.writelines(bodies)
        # Read once and thrown away: what costs time to write is left out.
        pq.write_table(
            keys,
            self.folder / f"{self.values:012}.parquet",
            compression="none",
            use_dictionary=False,
            write_statistics=False,
        )
        self.rows += len(bodies)


def header_of(schema: RegisteredSchema) -> bytes:
    """What stands before a body of this schema."""
    return bytes(1) + schema.schema_id.to_bytes(HEADER_BYTES - 1, "big")
