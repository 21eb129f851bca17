"""What freeze decides by: of each row a few columns, and for pairs a hash of their texts."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.events import EVENTS, Event, Label, Preference
from schemas.registry import AvroSchema, RegisteredSchema
from trainer.dataset import table_of
from trainer.manifest import ROWS_FILE
from trainer.plain_rows import PlainRows
from trainer.row_hash import newest_schema

_KEYS: Mapping[type[Event], tuple[str, ...]] = {
    Preference: ("event_id", "prompt_id", "source", "judge_config_hash"),
    Label: ("event_id", "role"),
}
# They stand side by side in every version of a preference, behind the prompt's id.
_PAIR = ("prompt", "chosen", "rejected")
_ROWS_AT_ONCE = 1_000


def plain_keys(event: type[Event], bodies: Sequence[bytes], rows: PlainRows) -> pa.Table:
    """The keys of plain rows, with the bodies that they were read from."""
    return _keys(event, rows.table(_KEYS[event]), _pairs_within(bodies, rows))


def keys_of(rows: Sequence[Event], schema: RegisteredSchema) -> pa.Table:
    """The keys of rows that were read one by one."""
    pairs = (pair(row.model_dump(include=set(_PAIR))) for row in rows)
    event = EVENTS[schema.topic]
    return _keys(event, table_of(rows, schema).select(_KEYS[event]), pairs)


def _keys(event: type[Event], keys: pa.Table, pairs: Iterable[bytes | None]) -> pa.Table:
    """Labels are no pairs."""
    if event is Preference:
        keys = keys.append_column("_pair", pa.array(pairs, pa.binary()))
    return keys


def _pairs_within(bodies: Sequence[bytes], rows: PlainRows) -> Iterator[bytes | None]:
    """What ``pair`` gives, by the bytes that are there."""
    ends = [rows.ends[name].tolist() for name in ("prompt_id", *_PAIR)]
    for body, begin, prompt, chosen, rejected in zip(bodies, *ends, strict=True):
        long = chosen - prompt == rejected - chosen
        same = long and body[prompt:chosen] == body[chosen:rejected]
        yield None if same else hashlib.sha256(body[begin:rejected]).digest()


def pair(record: Mapping[str, object]) -> bytes | None:
    """What makes two rows the same to a trainer: SHA-256 over prompt, chosen and rejected in Avro.

    None where the two answers are the same text.
    """
    if record["chosen"] == record["rejected"]:
        return None
    body = io.BytesIO()
    fastavro.schemaless_writer(body, _pair_schema(), record, strict=True)
    return hashlib.sha256(body.getvalue()).digest()


def pairs_in(folders: Iterable[Path]) -> Iterator[pa.Table]:
    """The pairs of the datasets in these folders, some at a time."""
    for folder in folders:
        with pq.ParquetFile(folder / ROWS_FILE) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(_PAIR)):
                pairs = map(pair, batch.to_pylist())
                yield pa.table({"_pair": pa.array(pairs, pa.binary())})


@cache
def _pair_schema() -> AvroSchema:
    whole = newest_schema().schema
    fields = [field for field in whole["fields"] if field["name"] in _PAIR]
    parsed: Any = fastavro.parse_schema({**whole, "name": "Pair", "fields": fields})
    return dict(parsed)
