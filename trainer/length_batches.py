"""Batches of rows of similar length: less padding to compute, the order still random. Pure."""

import random
from collections.abc import Callable, Iterator, Sequence

# Sorting within eight batches removes most padding and leaves every row within an eighth of a
# 1,000-row epoch of where the shuffle put it.
_WINDOW_BATCHES = 8


def length_batches(
    lengths: Sequence[int], batch_size: int, seed: int, epoch: int
) -> list[list[int]]:
    """Every index once, in batches of ``batch_size`` (the last of a window may be smaller)."""
    rng = random.Random(f"{seed}:{epoch}")
    order = list(range(len(lengths)))
    rng.shuffle(order)
    window = batch_size * _WINDOW_BATCHES
    batches = []
    for start in range(0, len(order), window):
        near = sorted(order[start : start + window], key=lambda index: (lengths[index], index))
        batches += [near[i : i + batch_size] for i in range(0, len(near), batch_size)]
    rng.shuffle(batches)
    return batches


class LengthBatches:
    """``length_batches`` of one epoch after another, as torch takes a batch sampler.

    Each batch is cut into ``parts`` of nearly one size, which stand one after the other: one for
    each process and each pass of its accumulation. Where a batch has fewer rows than parts, some
    are repeated, for no process may be without any.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        seed: int,
        *,
        epoch: Callable[[], int],
        parts: int = 1,
    ) -> None:
        """``epoch()`` is the one that begins: a training may go on in the middle."""
        self._lengths, self._batch_size, self._seed = lengths, batch_size, seed
        self._epoch, self._parts = epoch, parts

    def __len__(self) -> int:
        return -(-len(self._lengths) // self._batch_size) * self._parts

    def __iter__(self) -> Iterator[list[int]]:
        for batch in length_batches(self._lengths, self._batch_size, self._seed, self._epoch()):
            for part in range(self._parts):
                yield batch[part :: self._parts] or batch[:1]
