"""Batches by length: every row once, little padding, the same for the same seed."""

from functools import partial
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from trainer.length_batches import LengthBatches, length_batches

lengths = st.lists(st.integers(1, 500), max_size=200)


@given(lengths, st.integers(1, 20), st.integers(0, 5), st.integers(0, 5))
def test_every_row_is_in_one_batch(sizes: list[int], batch: int, seed: int, epoch: int) -> None:
    batches = length_batches(sizes, batch, seed, epoch)
    assert sorted(index for one in batches for index in one) == list(range(len(sizes)))
    assert len(batches) == len(LengthBatches(sizes, batch, seed, epoch=lambda: epoch))
    assert batches == length_batches(sizes, batch, seed, epoch)


def test_epochs_differ() -> None:
    one, two = (LengthBatches(list(range(64)), 8, 0, epoch=partial(int, n)) for n in (0, 1))
    assert list(one) != list(two)


@given(lengths, st.integers(1, 20), st.integers(1, 4))
def test_parts_of_a_batch_follow_each_other(sizes: list[int], batch: int, parts: int) -> None:
    cut = list(LengthBatches(sizes, batch, 0, epoch=lambda: 0, parts=parts))
    for whole, start in zip(
        length_batches(sizes, batch, 0, 0), range(0, len(cut), parts), strict=True
    ):
        pieces = cut[start : start + parts]
        assert all(pieces)
        assert {index for piece in pieces for index in piece} == set(whole)
        assert max(map(len, pieces)) - min(map(len, pieces)) <= 1


def test_padding_is_cut_by_more_than_half() -> None:
    rng = Random(0)
    sizes = [rng.randint(20, 120) for _ in range(1000)]

    def padding(batches: list[list[int]]) -> int:
        return sum(max(sizes[i] for i in one) - sizes[j] for one in batches for j in one)

    shuffled = [list(range(start, min(start + 16, 1000))) for start in range(0, 1000, 16)]
    assert padding(length_batches(sizes, 16, 0, 0)) < padding(shuffled) / 2
