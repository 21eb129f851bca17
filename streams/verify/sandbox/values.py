"""Rows as JSON and back, every type kept: a decimal is not a float and a date is not its text.

The child is not trusted, so nothing here can make more than the listed types out of its bytes.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

from streams.verify.sandbox.result import Row, Value

_PLAIN = frozenset({type(None), bool, int, str})
_JSON = _PLAIN | {float}
_MICROSECOND = timedelta(microseconds=1)


def dump_rows(rows: Iterable[Sequence[object]]) -> str:
    """The rows as one JSON array of arrays."""
    rows = rows if isinstance(rows, list) else list(rows)
    if _types(rows) <= _JSON:  # nearly all results: in one go, without a look at each value
        with suppress(ValueError):  # a float that is no number
            return json.dumps(rows, separators=(",", ":"), allow_nan=False)
    packed = [[value if type(value) in _PLAIN else _pack(value) for value in row] for row in rows]
    return json.dumps(packed, separators=(",", ":"), allow_nan=False)


def load_rows(packed: object) -> tuple[Row, ...]:
    """Rows from the parsed JSON of ``dump_rows``; ValueError where it is anything else."""
    if not isinstance(packed, list):
        raise ValueError("rows are not a list")
    if not set(map(type, packed)) <= {list}:
        raise ValueError("a row is not a list")
    if _types(packed) <= _JSON:
        return tuple(map(tuple, packed))
    return tuple(tuple(_unpack(value) for value in row) for row in packed)


def _types(rows: Iterable[Sequence[object]]) -> set[type]:
    return set(map(type, chain.from_iterable(rows)))


def _pack(value: object) -> object:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (list, tuple)):
        return {"list": [_pack(item) for item in value]}
    if isinstance(value, dict):
        return {"list": [{"list": [_pack(k), _pack(v)]} for k, v in value.items()]}
    return _pack_tagged(value)


def _pack_tagged(value: object) -> object:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, time):
        return {"time": value.isoformat()}
    if isinstance(value, timedelta):
        return {"microseconds": value // _MICROSECOND}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, UUID):
        return {"uuid": str(value)}
    return str(value)


_UNTAG: dict[str, Callable[[Any], Value]] = {
    "float": float,
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "microseconds": lambda count: timedelta(microseconds=count),
    "bytes": bytes.fromhex,
    "uuid": UUID,
    "list": lambda items: tuple(_unpack(item) for item in items),
}


def _unpack(value: object) -> Value:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a value is neither plain nor tagged")
    ((tag, content),) = value.items()
    if tag not in _UNTAG:
        raise ValueError(f"unknown tag {tag!r}")
    try:
        return _UNTAG[tag](content)
    except (TypeError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"no {tag}: {error}") from error
