"""Attributes of records as cells of a row; a list of records as ClickHouse's Nested columns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from pydantic import BaseModel

Cell: TypeAlias = "str | int | float | bool | datetime | Sequence[Cell] | Mapping[str, Cell] | None"


def named(record: BaseModel, names: str) -> dict[str, Cell]:
    """The attributes of these names (separated by spaces), each in the column of its name."""
    return {name: _plain(getattr(record, name)) for name in names.split()}


def nested(column: str, records: Iterable[BaseModel], names: str) -> dict[str, Cell]:
    """The columns ``column.name`` of a Nested column: one array an attribute, all equally long."""
    held = tuple(records)
    return {
        f"{column}.{name}": [_plain(getattr(record, name)) for record in held]
        for name in names.split()
    }


def _plain(value: Cell) -> Cell:
    return list(value) if isinstance(value, tuple) else value
