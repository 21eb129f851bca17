"""Avro bodies into Arrow columns: all rows of a chunk at once, in step.

Each row has a cursor, and one field is read of all rows before the next one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import isclass
from typing import Any, get_args

import numpy as np
import pyarrow as pa
from annotated_types import MinLen
from numpy.typing import NDArray
from pydantic import BaseModel

from schemas.registry import AvroSchema
from trainer.avro_chunk import AvroChunk, Places

Column = Callable[[], pa.Array]
"""Makes the column, once it is known that every row is plain."""

# More make a list that is not read in step: each item is a step of its own.
_MOST_ITEMS = 256
# 9999-12-31T23:59:59.999999Z, the last that Python knows.
_LATEST_US = 253_402_300_799_999_999


class Fields:
    """Reads a schema's fields of some rows: the column to make, and the cursors behind it."""

    def __init__(self, chunk: AvroChunk) -> None:
        self._chunk = chunk
        self._named: dict[str, AvroSchema] = {}

    def fields(
        self, schema: AvroSchema, model: type[BaseModel], at: Places, end: Places
    ) -> tuple[dict[str, Column], dict[str, Places]]:
        """Of a record's fields, by name: the column, and the cursors behind it."""
        self._named[schema["name"]] = schema
        columns: dict[str, Column] = {}
        ends: dict[str, Places] = {}
        for field in schema["fields"]:
            name = field["name"]
            columns[name], at = self._value(field["type"], _Rule.of(model, name), at, end)
            ends[name] = at
        return columns, ends

    def _record(
        self, schema: AvroSchema, model: type[BaseModel], at: Places, end: Places
    ) -> tuple[Column, Places]:
        columns, ends = self.fields(schema, model, at, end)
        return lambda: pa.StructArray.from_arrays(
            [column() for column in columns.values()], names=list(columns)
        ), ends[schema["fields"][-1]["name"]]

    def _value(self, kind: Any, rule: "_Rule", at: Places, end: Places) -> tuple[Column, Places]:
        if isinstance(kind, str):
            kind = self._named.get(kind, {"type": kind})
        if isinstance(kind, list):
            return self._optional(kind, rule, at, end)
        match kind["type"]:
            case "string":
                return self._string(rule, at, end)
            case "long":
                return self._long(kind.get("logicalType"), at, end)
            case "double":
                return self._double(at, end)
            case "enum":
                return self._enum(kind["symbols"], at, end)
            case "array":
                return self._array(kind["items"], rule, at, end)
            case "map":
                return self._map(kind["values"], rule, at, end)
            case "record" if rule.model is not None:
                return self._record(kind, rule.model, at, end)
        raise TypeError(f"no column is known for Avro's {kind}")

    def _string(self, rule: "_Rule", at: Places, end: Places) -> tuple[Column, Places]:
        start, length, at = self._chunk.extent(at, end)
        if rule.not_empty:
            at = self._chunk.within(at, end, length > 0)
        return lambda: self._chunk.texts(start, length), at

    def _long(self, logical: str | None, at: Places, end: Places) -> tuple[Column, Places]:
        value, at = self._chunk.number(at)
        at = self._chunk.within(at, end, (value >= 0) & (value <= _LATEST_US))
        kind = pa.timestamp("us", tz="UTC") if logical == "timestamp-micros" else pa.int64()
        return lambda: pa.array(value).view(kind), at

    def _double(self, at: Places, end: Places) -> tuple[Column, Places]:
        value, at = self._chunk.double(at, end)
        return lambda: pa.array(value), at

    def _enum(self, symbols: Sequence[str], at: Places, end: Places) -> tuple[Column, Places]:
        index, at = self._chunk.number(at)
        known = (index >= 0) & (index < len(symbols))
        index = np.where(known, index, 0)
        return lambda: pa.array(symbols).take(pa.array(index)), self._chunk.within(at, end, known)

    def _optional(
        self, kinds: Sequence[Any], rule: "_Rule", at: Places, end: Places
    ) -> tuple[Column, Places]:
        none = kinds.index("null")
        branch, at = self._chunk.number(at)
        given = branch == 1 - none
        at = self._chunk.within(at, end, given | (branch == none))
        rows = np.flatnonzero(given)
        column, at[rows] = self._value(kinds[1 - none], rule, at[rows], end[rows])
        return lambda: column().take(pa.array(np.cumsum(given) - 1, mask=~given)), at

    def _array(self, items: Any, rule: "_Rule", at: Places, end: Places) -> tuple[Column, Places]:
        found = self._items(lambda at, end: self._value(items, rule.of_items, at, end), at, end)
        if rule.not_empty:
            found.after = self._chunk.within(found.after, end, found.counts > 0)
        return lambda: pa.ListArray.from_arrays(found.offsets, found.column()), found.after

    def _map(self, values: Any, rule: "_Rule", at: Places, end: Places) -> tuple[Column, Places]:
        def entry(at: Places, end: Places) -> tuple[Column, Places]:
            start, length, at = self._chunk.extent(at, end)
            value, at = self._value(values, rule.of_items, at, end)
            return lambda: pa.StructArray.from_arrays(
                [self._chunk.texts(start, length), value()], names=["key", "value"]
            ), at

        found = self._items(entry, at, end)
        # Not Arrow's map, which `datasets` refuses to load.
        return lambda: pa.ListArray.from_arrays(found.offsets, found.column()), self._chunk.within(
            found.after, end, ~found.repeated()
        )

    def _items(
        self, read: Callable[[Places, Places], tuple[Column, Places]], at: Places, end: Places
    ) -> "_Items":
        """Where each item of each row's block begins: first items of all rows, then second ones."""
        counts, at = self._chunk.number(at)
        at = self._chunk.within(at, end, (counts >= 0) & (counts <= _MOST_ITEMS))
        counts = np.where(at <= end, counts, 0)
        rows = np.flatnonzero(counts)
        filled, left = rows, counts[rows]
        columns: list[Column] = []
        owners: list[Places] = []
        while rows.size or not columns:
            column, at[rows] = read(at[rows], end[rows])
            columns.append(column)
            owners.append(rows)
            more = left > 1
            rows, left = rows[more], left[more] - 1
        closing, after = self._chunk.number(at[filled])
        at[filled] = self._chunk.within(after, end[filled], closing == 0)
        return _Items(counts=counts, columns=columns, owners=owners, after=at)


@dataclass(kw_only=True)
class _Items:
    """The items of all rows: first items of each, with the rows that own them, then second ones."""

    counts: Places
    columns: list[Column]
    owners: list[Places]
    after: Places

    @property
    def offsets(self) -> pa.Array:
        return pa.array(np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int32))

    def column(self) -> pa.Array:
        """The items in the order of the rows."""
        if len(self.columns) == 1:
            return self.columns[0]()
        order = np.argsort(np.concatenate(self.owners), kind="stable")
        return pa.concat_arrays([column() for column in self.columns]).take(pa.array(order))

    def repeated(self) -> NDArray[np.bool_]:
        """Which rows have an entry's key twice."""
        found = np.zeros(len(self.counts), np.bool_)
        if len(self.columns) > 1:
            keys = self.column().field("key")
            owner = np.sort(np.concatenate(self.owners))
            encoded = keys.cast(pa.binary()).dictionary_encode()
            named = owner * len(encoded.dictionary) + encoded.indices.to_numpy()
            both, counts = np.unique(named, return_counts=True)
            found[both[counts > 1] // len(encoded.dictionary)] = True
        return found


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """What the event's model says of a field beyond its Avro type."""

    not_empty: bool = False
    model: type[BaseModel] | None = None

    @classmethod
    def of(cls, model: type[BaseModel], name: str) -> "_Rule":
        field = model.model_fields[name]
        models = (one for one in get_args(field.annotation) if isclass(one))
        return cls(
            not_empty=any(isinstance(one, MinLen) for one in field.metadata),
            model=next((one for one in models if issubclass(one, BaseModel)), None),
        )

    @property
    def of_items(self) -> "_Rule":
        return _Rule(model=self.model)
