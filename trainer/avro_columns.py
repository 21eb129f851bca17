"""Avro bodies into Arrow columns: all rows of a chunk at once, in step.

Each row has a cursor, and one field is read of all rows before the next one. Texts are not copied:
they are views into the chunk. Only plain rows are read, which are nearly all: Avro as writers write
it (each number as short as can be, each list in one block) that breaks no rule of its event. A row
that is not ends up ``_nowhere``, and whoever decodes it says what it is.
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

Places = NDArray[np.int64]
"""One for each row: where in the chunk it is, or a number."""
Column = Callable[[], pa.Array]
"""Makes the column, once it is known which rows are plain."""

# What Arrow keeps of a short text in its view.
_INLINE_BYTES = 12
# By length, which of those bytes are the text's.
_KEPT = (-np.tri(_INLINE_BYTES + 1, _INLINE_BYTES, -1, np.int8)).view(np.int32)
# More make a list that is not read in step: each item is a step of its own.
_MOST_ITEMS = 256
# Numbers from 2^55 on take more bytes; no event has one.
_MOST_BITS = 56
# 9999-12-31T23:59:59.999999Z, the last that Python knows.
_LATEST_US = 253_402_300_799_999_999


def plain_rows(
    bodies: Sequence[bytes], schema: AvroSchema, event: type[BaseModel]
) -> tuple[pa.Table, NDArray[np.bool_]]:
    """The plain rows among bodies of one schema as columns, and which they are."""
    # One that is no row, so that there is a chunk.
    chunk = _Chunk((*bodies, b""))
    column, at = chunk.record(schema, event, chunk.begin, chunk.end)
    plain = at == chunk.end
    table = pa.Table.from_struct_array(column()).slice(0, len(bodies))
    if not plain[:-1].all():
        table = table.filter(pa.array(plain[:-1]))
    return (table, plain[:-1]) if _is_utf8(table) else _halves(bodies, schema, event)


def _is_utf8(table: pa.Table) -> bool:
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _halves(
    bodies: Sequence[bytes], schema: AvroSchema, event: type[BaseModel]
) -> tuple[pa.Table, NDArray[np.bool_]]:
    """The same where a text somewhere is no UTF-8: smaller chunks, until the row stands alone."""
    if len(bodies) == 1:
        empty, _ = plain_rows((), schema, event)
        return empty, np.zeros(1, np.bool_)
    middle = len(bodies) // 2
    parts = [plain_rows(half, schema, event) for half in (bodies[:middle], bodies[middle:])]
    return pa.concat_tables(one for one, _ in parts), np.concatenate([mask for _, mask in parts])


class _Chunk:
    """The bytes of all rows, one after the other. Reads take the cursors of some rows and the ends
    of those rows, and give the column to make and the cursors behind it."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        lengths = np.fromiter(map(len, bodies), np.int64, len(bodies))
        self.end: Places = np.cumsum(lengths)
        self.begin: Places = self.end - lengths
        self._nowhere = self.end[-1] + 1
        # Behind the last row are zeros: what is read there stays beyond every row.
        joined = b"".join((*bodies, bytes(_INLINE_BYTES + 2)))
        self._bytes = np.frombuffer(joined, np.uint8)
        self._text = pa.py_buffer(joined)
        self._inline = np.lib.stride_tricks.sliding_window_view(self._bytes, _INLINE_BYTES)
        self._named: dict[str, AvroSchema] = {}

    def record(
        self, schema: AvroSchema, model: type[BaseModel], at: Places, end: Places
    ) -> tuple[Column, Places]:
        self._named[schema["name"]] = schema
        columns: dict[str, Column] = {}
        for field in schema["fields"]:
            name = field["name"]
            rule = _Rule.of(model, name)
            columns[name], at = self._value(field["type"], rule, at, end)
        return lambda: pa.StructArray.from_arrays(
            [column() for column in columns.values()], names=list(columns)
        ), at

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
                return self.record(kind, rule.model, at, end)
        raise TypeError(f"no column is known for Avro's {kind}")

    def _number(self, at: Places, end: Places) -> tuple[Places, Places]:
        """Zigzag, seven bits a byte, the lowest first."""
        first = self._bytes[at]
        value, at = (first & 0x7F).astype(np.int64), at + 1
        longer, bits = np.flatnonzero(first & 0x80), 7
        while longer.size and bits < _MOST_BITS:
            byte = self._bytes[at[longer]]
            value[longer] |= (byte & 0x7F).astype(np.int64) << bits
            at[longer] += 1
            at[longer[byte == 0]] = self._nowhere
            longer, bits = longer[byte >= 0x80], bits + 7
        at[longer] = self._nowhere
        return (value >> 1) ^ -(value & 1), self._within(at, end)

    def _within(self, at: Places, end: Places, legal: NDArray[np.bool_] | None = None) -> Places:
        inside = at <= end if legal is None else (at <= end) & legal
        return np.where(inside, at, self._nowhere)

    def _extent(self, at: Places, end: Places) -> tuple[Places, Places, Places]:
        """Start and length of a text; an empty one where it would leave the row."""
        length, at = self._number(at, end)
        fits = (length >= 0) & (length <= end - at)
        length = np.where(fits, length, 0)
        return at, length, self._within(at + length, end, fits)

    def _string(self, rule: "_Rule", at: Places, end: Places) -> tuple[Column, Places]:
        start, length, at = self._extent(at, end)
        if rule.not_empty:
            at = self._within(at, end, length > 0)
        return lambda: self._texts(start, length), at

    def _texts(self, start: Places, length: Places) -> pa.Array:
        views = np.empty((len(start), 4), np.int32)
        views[:, 0] = length
        inline = self._inline[start].view(np.int32)
        views[:, 1:] = inline & _KEPT[np.minimum(length, _INLINE_BYTES)]
        long = np.flatnonzero(length > _INLINE_BYTES)
        views[long, 2], views[long, 3] = 0, start[long]
        seen = [None, pa.py_buffer(views), self._text]
        return pa.Array.from_buffers(pa.string_view(), len(start), seen).cast(pa.string())

    def _long(self, logical: str | None, at: Places, end: Places) -> tuple[Column, Places]:
        value, at = self._number(at, end)
        at = self._within(at, end, (value >= 0) & (value <= _LATEST_US))
        kind = pa.timestamp("us", tz="UTC") if logical == "timestamp-micros" else pa.int64()
        return lambda: pa.array(value).view(kind), at

    def _double(self, at: Places, end: Places) -> tuple[Column, Places]:
        value = self._inline[at, :8].copy().view("<f8").ravel()
        return lambda: pa.array(value), self._within(at + 8, end, np.isfinite(value))

    def _enum(self, symbols: Sequence[str], at: Places, end: Places) -> tuple[Column, Places]:
        index, at = self._number(at, end)
        known = (index >= 0) & (index < len(symbols))
        index = np.where(known, index, 0)
        return lambda: pa.array(symbols).take(pa.array(index)), self._within(at, end, known)

    def _optional(
        self, kinds: Sequence[Any], rule: "_Rule", at: Places, end: Places
    ) -> tuple[Column, Places]:
        none = kinds.index("null")
        branch, at = self._number(at, end)
        given = branch == 1 - none
        at = self._within(at, end, given | (branch == none))
        rows = np.flatnonzero(given)
        column, at[rows] = self._value(kinds[1 - none], rule, at[rows], end[rows])
        index = pa.array(np.cumsum(given) - 1, mask=~given)
        return lambda: column().take(index), at

    def _array(self, items: Any, rule: "_Rule", at: Places, end: Places) -> tuple[Column, Places]:
        found = self._items(lambda at, end: self._value(items, rule.of_items, at, end), at, end)
        if rule.not_empty:
            found.after = self._within(found.after, end, found.counts > 0)
        column, _ = self._value(items, rule.of_items, found.at, found.end)
        return lambda: pa.ListArray.from_arrays(found.offsets, column()), found.after

    def _map(self, values: Any, rule: "_Rule", at: Places, end: Places) -> tuple[Column, Places]:
        def entry(at: Places, end: Places) -> tuple[Column, Places]:
            _, _, at = self._extent(at, end)
            return self._value(values, rule.of_items, at, end)

        found = self._items(entry, at, end)
        start, length, at = self._extent(found.at, found.end)
        column, _ = self._value(values, rule.of_items, at, found.end)
        keys = self._texts(start, length)
        at = self._within(found.after, end, ~found.repeats(keys))
        return lambda: pa.MapArray.from_arrays(found.offsets, keys, column()), at

    def _items(
        self, read: Callable[[Places, Places], tuple[Column, Places]], at: Places, end: Places
    ) -> "_Items":
        """Where each item of each row's block begins: first items of all rows, then second ones."""
        counts, at = self._number(at, end)
        at = self._within(at, end, (counts >= 0) & (counts <= _MOST_ITEMS))
        counts = np.where(at <= end, counts, 0)
        begun: list[tuple[Places, Places]] = []
        rows = np.flatnonzero(counts)
        filled, left = rows, counts[rows]
        while rows.size:
            begun.append((rows, at[rows]))
            _, at[rows] = read(at[rows], end[rows])
            more = left > 1
            rows, left = rows[more], left[more] - 1
        closing, after = self._number(at[filled], end[filled])
        at[filled] = self._within(after, end[filled], closing == 0)
        owner = np.concatenate([rows for rows, _ in begun] or [filled])
        begins = np.concatenate([places for _, places in begun] or [filled])
        if len(begun) > 1:
            order = np.argsort(owner, kind="stable")
            owner, begins = owner[order], begins[order]
        return _Items(counts=counts, owner=owner, at=begins, end=end[owner], after=at)


@dataclass(kw_only=True)
class _Items:
    """The items of all rows in the order of the rows; ``owner`` is the row of each."""

    counts: Places
    owner: Places
    at: Places
    end: Places
    after: Places

    @property
    def offsets(self) -> pa.Array:
        return pa.array(np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int32))

    def repeats(self, keys: pa.Array) -> NDArray[np.bool_]:
        """Which rows have a key twice."""
        found = np.zeros(len(self.counts), np.bool_)
        if found.size and self.counts.max() > 1:
            encoded = keys.cast(pa.binary()).dictionary_encode()
            named = self.owner * len(encoded.dictionary) + encoded.indices.to_numpy()
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
