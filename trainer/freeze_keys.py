"""What freeze decides by: of each row a few columns, and for pairs a hash of their texts."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import ConfigError
from schemas.events import EVENTS, Event, Label, Preference
from schemas.registry import AvroSchema, RegisteredSchema
from trainer.dataset import table_of
from trainer.manifest import ROWS_FILE
from trainer.plain_rows import PlainRows
from trainer.row_hash import newest_schema

_KEYS: Mapping[type[Event], tuple[str, ...]] = {
    Preference: (
        "event_id",
        "workload_id",
        "prompt_id",
        "source",
        "rubric_version",
        "judge_config_hash",
    ),
    Label: ("event_id", "workload_id", "role"),
}
# They stand side by side in every version of a preference, behind the prompt's id.
_PAIR = ("prompt", "chosen", "rejected")
_ROWS_AT_ONCE = 1_000


def plain_keys(event: type[Event], values: Sequence[bytes], rows: PlainRows) -> pa.Table:
    """The keys of plain rows, with the values that they were read from."""
    keys = rows.table(_KEYS[event])
    return _with_pairs(keys, _pairs_within(values, rows)) if event is Preference else keys


def keys_of(rows: Sequence[Event], schema: RegisteredSchema) -> pa.Table:
    """The keys of rows that were read one by one."""
    event = EVENTS[schema.topic]
    keys = table_of(rows, schema).select(_KEYS[event])
    pairs = (pair(row.model_dump(include=set(_PAIR))) for row in rows)
    return _with_pairs(keys, pairs) if event is Preference else keys


def _with_pairs(keys: pa.Table, pairs: Iterable[bytes | None]) -> pa.Table:
    return keys.append_column("_pair", pa.array(pairs, pa.binary()))


def _pairs_within(values: Sequence[bytes], rows: PlainRows) -> list[bytes | None]:
    """What ``pair`` gives, by the bytes that are there."""
    begin, prompt, chosen, rejected = (rows.ends[name] for name in ("prompt_id", *_PAIR))
    texts = zip(values, begin.tolist(), rejected.tolist(), strict=True)
    pairs: list[bytes | None] = [sha256(value[begin:end]).digest() for value, begin, end in texts]
    for row in np.flatnonzero(chosen - prompt == rejected - chosen).tolist():
        value, middle = values[row], chosen[row]
        if value[prompt[row] : middle] == value[middle : rejected[row]]:
            pairs[row] = None
    return pairs


def pair(record: Mapping[str, object]) -> bytes | None:
    """What makes two rows the same to a trainer: SHA-256 over prompt, chosen and rejected in Avro.

    None where the two answers are the same text.
    """
    if record["chosen"] == record["rejected"]:
        return None
    body = io.BytesIO()
    fastavro.schemaless_writer(body, _pair_schema(), record, strict=True)
    return sha256(body.getvalue()).digest()


def pairs_in(folders: Iterable[Path]) -> Iterator[pa.Table]:
    """The pairs of the datasets in these folders, some at a time.

    Raises ``ConfigError`` where one cannot be read.
    """
    for folder in folders:
        rows = folder / ROWS_FILE
        try:
            with pq.ParquetFile(rows) as file:
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(_PAIR)):
                    pairs = map(pair, batch.to_pylist())
                    yield pa.table({"_pair": pa.array(pairs, pa.binary())})
        except (OSError, pa.ArrowException) as error:
            raise ConfigError(f"{rows}: cannot be read ({error}); freeze it again") from None


@cache
def _pair_schema() -> AvroSchema:
    whole = newest_schema().schema
    fields = [field for field in whole["fields"] if field["name"] in _PAIR]
    parsed: Any = fastavro.parse_schema({**whole, "name": "Pair", "fields": fields})
    return dict(parsed)
