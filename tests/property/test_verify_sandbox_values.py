"""Values cross the pipe unchanged, and bytes that are no answer never raise."""

import json
import math
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.verify.sandbox.interned import InternedRows
from streams.verify.sandbox.process import _result
from streams.verify.sandbox.values import dump_rows, load_rows

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.uuids()
    | st.timedeltas(min_value=timedelta(days=-9999), max_value=timedelta(days=9999))
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["head", "chunks", "error", "list", "date", "bytes"]), inner
        )
    ),
    max_leaves=10,
)


@given(st.lists(st.lists(VALUES, max_size=3).map(tuple), max_size=3))
def test_rows_come_back_as_they_went(rows: list[tuple[object, ...]]) -> None:
    back = load_rows(json.loads(dump_rows(rows)))
    assert back == tuple(rows)
    assert [[type(value) for value in row] for row in back] == [
        [type(value) for value in row] for row in rows
    ]


def test_nan_and_infinity_come_back() -> None:
    ((nan, infinity),) = load_rows(json.loads(dump_rows([(math.nan, -math.inf)])))
    assert isinstance(nan, float)
    assert math.isnan(nan)
    assert infinity == -math.inf


@given(st.binary())
def test_any_bytes_are_a_result_or_an_error(payload: bytes) -> None:
    assert _result(payload, InternedRows()).error is not None


@given(JSON, JSON)
def test_any_json_is_a_result_or_an_error(head: object, chunks: object) -> None:
    payload = f"{json.dumps(head)}\n{json.dumps(chunks)}".encode()
    _result(payload, InternedRows())


@given(JSON)
def test_any_chunks_are_rows_or_an_error(chunks: object) -> None:
    payload = b'{"head":[["a"],false,1.5,null]}\n' + json.dumps(chunks).encode()
    result = _result(payload, InternedRows())
    assert result.error is not None or all(isinstance(row, tuple) for row in result.rows)


def test_equal_bytes_are_the_same_rows() -> None:
    interned = InternedRows()
    payload = b'{"head":[["a"],false,1.5,null]}\n[[[1],[2]],[[3]]]'
    one, other = _result(payload, interned), _result(payload, interned)
    assert one.rows == ((1,), (2,), (3,))
    assert one.rows is other.rows
