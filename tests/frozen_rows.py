"""Preferences of a test as the dataset that freezing them gives."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.events import Preference
from schemas.records import OffsetRange
from trainer.dataset import FrozenDataset
from trainer.freeze import FreezeSettings, frozen
from trainer.staged_log import LogValues, staged, values_of

_ALL = FreezeSettings()


def frozen_rows(
    rows: Iterable[Preference],
    settings: FreezeSettings = _ALL,
    ranges: tuple[OffsetRange, ...] = (),
    earlier: Sequence[Path] = (),
) -> FrozenDataset:
    """The rows as a log of them, frozen."""
    with staged(LogValues(values=values_of(rows).values, ranges=ranges)) as log:
        return frozen(log, settings, earlier)
