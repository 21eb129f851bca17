"""A column as a sample of its rows shows it."""

from collections.abc import Sequence

from streams.verify.instances.shape import Column
from streams.verify.sandbox.result import Value

_KEPT = 200


def sampled_column(name: str, type_: str, is_nullable: bool, sample: Sequence[Value]) -> Column:
    """The column with at most 200 distinct values of the sample, as they were met."""
    distinct: dict[tuple[type, Value], Value] = {}
    for value in sample:
        if value is not None:
            distinct.setdefault((type(value), value), value)
    present = sum(1 for value in sample if value is not None)
    return Column(
        name=name,
        type=type_,
        is_nullable=is_nullable,
        has_null=present < len(sample),
        is_unique=len(distinct) == present,
        values=tuple(distinct.values())[:_KEPT],
    )
