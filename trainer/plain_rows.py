"""Rows read from their Avro bodies, all in step.

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
from pydantic import BaseModel

from schemas.registry import AvroSchema
from trainer.avro_chunk import AvroChunk, Places
from trainer.avro_columns import Column, Fields


@dataclass(frozen=True, kw_only=True)
class PlainRows:
    """The plain rows among some bodies, and which they are (``plain``, one for each body).

    ``ends`` says by field where in its body each plain row's value ends.
    """

    columns: dict[str, Column]
    plain: NDArray[np.bool_]
    ends: dict[str, Places]

    def table(self, names: Iterable[str] | None = None) -> pa.Table:
        """Their columns, or those of these names."""
        wanted = self.columns if names is None else names
        return pa.table({name: self.columns[name]() for name in wanted})


def plain_rows(bodies: Sequence[bytes], schema: AvroSchema, event: type[BaseModel]) -> PlainRows:
    """What is plain among bodies of one schema."""
    chunk = AvroChunk(bodies)
    columns, ends = Fields(chunk).fields(schema, event, chunk.begin, chunk.end)
    plain = ends[schema["fields"][-1]["name"]] == chunk.end
    if plain.all() and not chunk.is_utf8():
        # Looked for in ever smaller chunks, until a row stands alone.
        middle = len(bodies) // 2
        halves = (bodies[:middle], bodies[middle:]) if middle else ()
        found = [plain_rows(half, schema, event).plain for half in halves]
        plain = np.concatenate(found) if found else np.zeros(1, np.bool_)
    if not plain.all():
        left = plain_rows(list(compress(bodies, plain)), schema, event)
        plain[plain] = left.plain
        return replace(left, plain=plain)
    return PlainRows(
        columns=columns,
        plain=plain,
        ends={name: end - chunk.begin for name, end in ends.items()},
    )
