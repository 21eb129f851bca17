"""What two frozen datasets have in common, and what only one of them holds. Pure."""

from collections import Counter
from collections.abc import Iterable

from schemas.events import Preference
from schemas.records import Record
from trainer.dataset import FrozenDataset
from trainer.manifest import PROMPT_LISTS


class Side(Record):
    """Rows of one dataset that the other lacks."""

    rows: int
    by_source: dict[str, int]


class DatasetDiff(Record):
    """Rows by event id; ``changed`` have the same id and another content."""

    shared: int
    changed: tuple[str, ...]
    only_first: Side
    only_second: Side
    settings: dict[str, tuple[str, str]]
    """Manifest fields that differ, as texts."""


# What follows from the rows, and the lists of prompts, which are too long to read.
_NOT_SHOWN = frozenset({"read", "rows", "row_sha256", "counts", "removed", *PROMPT_LISTS})


def diff(first: FrozenDataset, second: FrozenDataset) -> DatasetDiff:
    """How ``second`` differs from ``first``."""
    one, two = ({row.event_id: row for row in each.rows} for each in (first, second))
    both = one.keys() & two.keys()
    fields = ((name, value) for name, value in first.manifest if name not in _NOT_SHOWN)
    return DatasetDiff(
        shared=len(both),
        changed=tuple(sorted(name for name in both if one[name] != two[name])),
        only_first=_side(row for name, row in one.items() if name not in both),
        only_second=_side(row for name, row in two.items() if name not in both),
        settings={
            name: (str(value), str(other))
            for name, value in fields
            if value != (other := getattr(second.manifest, name))
        },
    )


def _side(rows: Iterable[Preference]) -> Side:
    counts = Counter(row.source.value for row in rows)
    return Side(rows=counts.total(), by_source=dict(sorted(counts.items())))
