"""Rows against real tables: what goes in comes out, and the first offset wins."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.clickhouse.rows import row
from consumers.clickhouse.tables import KAFKA_COLUMNS, TABLES
from schemas.codec import Codec
from schemas.events import Event
from schemas.records import Record
from tests.events import any_event, completion
from tests.property.embedded_tables import described, embedded_tables, first_rows, stored

pytestmark = pytest.mark.integration

# All examples share the tables, so each has offsets of its own.
_offsets = count(step=100)
_real = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPoolExecutor]:
    with embedded_tables(tmp_path_factory.mktemp("tables")) as child:
        yield child


def complete(event: type[Event]) -> st.SearchStrategy[Event]:
    """Events of the type with every optional field given as often as not."""
    any_event()  # registers the strategies of plain types
    for record in Record.__subclasses__():
        if not issubclass(record, Event):
            st.register_type_strategy(record, _later(record))
    moments = st.datetimes(
        min_value=datetime(1901, 1, 1), max_value=datetime(2261, 1, 1), timezones=st.just(UTC)
    )
    return st.builds(event, **(_all(event) | {"occurred_at": moments}))


def _filled(record: type[Record]) -> st.SearchStrategy[Record]:
    return st.builds(record, **_all(record))


def _later(record: type[Record]) -> st.SearchStrategy[Record]:
    """Built when first drawn: records hold records whose strategies are registered after them."""
    return st.deferred(lambda: _filled(record))


def _all(record: type[Record]) -> dict[str, Any]:
    return dict.fromkeys(record.model_fields, ...)


@pytest.mark.parametrize("topic", sorted(TABLES))
@_real
@given(data=st.data())
def test_every_column_comes_back_as_it_went_in(
    tables: ProcessPoolExecutor, topic: str, data: st.DataObject
) -> None:
    event = data.draw(complete(TABLES[topic].event))
    # What the wire makes of it (microseconds, enumerations) is what the sink sees.
    expected = row(Codec().decode(Codec().encode(event)))
    found = tables.submit(stored, event, list(expected), next(_offsets)).result()
    assert {name: _comparable(cell) for name, cell in found.items()} == {
        name: _comparable(cell) for name, cell in expected.items()
    }


def _comparable(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=UTC)
    return list(cell) if isinstance(cell, tuple) else cell


@pytest.mark.parametrize("topic", sorted(TABLES))
@given(data=st.data())
@settings(_real, max_examples=1)
def test_a_table_has_the_columns_of_its_rows_and_no_other(
    tables: ProcessPoolExecutor, topic: str, data: st.DataObject
) -> None:
    event = data.draw(complete(TABLES[topic].event))
    columns = tables.submit(described, TABLES[topic].name).result()
    assert sorted(columns) == sorted([*row(event), *KAFKA_COLUMNS])


@_real
@given(
    ids=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=8),
    merge=st.booleans(),
)
def test_the_first_offset_of_an_id_wins_merged_or_not(
    tables: ProcessPoolExecutor, ids: list[str], merge: bool
) -> None:
    first = next(_offsets)
    events = [
        completion(event_id=name, output=str(n), workload_id=f"w{first}")
        for n, name in enumerate(ids)
    ]
    found = tables.submit(first_rows, events, first, merge).result()
    assert {name: f'"output":"{ids.index(name)}"' in event for name, event in found.items()} == (
        dict.fromkeys(ids, True)
    )
