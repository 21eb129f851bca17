"""Rows read from the values of a log, their Avro all in step.

Only plain rows are read so, which are nearly all: Avro as writers write it (each number as short as
can be, each list in one block) that breaks no rule of its event. What is not is left to whoever
decodes single events.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.codec import header
from schemas.events import EVENTS
from schemas.registry import RegisteredSchema
from trainer.avro_chunk import AvroChunk, Places
from trainer.avro_columns import Column, Fields


@dataclass(frozen=True, kw_only=True)
class PlainRows:
    """The plain rows among some values, and which they are (``plain``, one for each value).

    ``ends`` says by field where in its value each plain row's field ends.
    """

    columns: dict[str, Column]
    plain: NDArray[np.bool_]
    ends: dict[str, Places]

    def table(self, names: Iterable[str] | None = None) -> pa.Table:
        """Their columns, or those of these names."""
        wanted = self.columns if names is None else names
        return pa.table({name: self.columns[name]() for name in wanted})


def plain_rows(values: Sequence[bytes], schema: RegisteredSchema) -> PlainRows:
    """What is plain among values, in this schema."""
    chunk = AvroChunk(values)
    begin = chunk.header(header(schema.schema_id))
    columns, ends = Fields(chunk).fields(schema.schema, EVENTS[schema.topic], begin, chunk.end)
    plain = ends[schema.schema["fields"][-1]["name"]] == chunk.end
    if plain.all() and not chunk.is_utf8():
        # Looked for in ever smaller chunks, until a row stands alone.
        middle = len(values) // 2
        halves = (values[:middle], values[middle:]) if middle else ()
        found = [plain_rows(half, schema).plain for half in halves]
        plain = np.concatenate(found) if found else np.zeros(1, np.bool_)
    if not plain.all():
        left = plain_rows(list(compress(values, plain)), schema)
        plain[plain] = left.plain
        return replace(left, plain=plain)
    return PlainRows(
        columns=columns,
        plain=plain,
        ends={name: end - chunk.begin for name, end in ends.items()},
    )
