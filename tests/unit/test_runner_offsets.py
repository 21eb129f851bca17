"""The offset ledger: only what is finished, and everything before it, may be committed."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from streams.runner.offsets import OffsetLedger


class Receipt:
    """Something that nobody but the ledger holds on to."""


def ledger(clock: float = 0.0) -> OffsetLedger[str, Receipt]:
    return OffsetLedger(clock=lambda: clock)


def test_nothing_started_nothing_committable() -> None:
    assert ledger().committable("p") is None


def test_first_pending_offset_holds_the_commit() -> None:
    book = ledger()
    receipts = {offset: Receipt() for offset in (5, 6, 9)}
    for offset, receipt in receipts.items():
        book.start("p", offset, receipt)
    book.finish("p", 6, receipts[6])
    book.finish("p", 9, receipts[9])
    assert book.committable("p") == 5
    book.finish("p", 5, receipts[5])
    assert book.committable("p") == 10


def test_partitions_do_not_hold_each_other() -> None:
    book = ledger()
    done = Receipt()
    book.start("p", 0, Receipt())
    book.start("q", 3, done)
    book.finish("q", 3, done)
    assert (book.committable("p"), book.committable("q")) == (0, 4)


def test_a_receipt_of_an_older_generation_changes_nothing() -> None:
    book = ledger()
    old = Receipt()
    book.start("p", 0, old)
    book.clear()
    assert not book.finish("p", 0, old)
    book.start("p", 0, Receipt())
    assert not book.finish("p", 0, old)
    assert book.committable("p") == 0


def test_forgotten_work_stays_pending() -> None:
    """Loss case 4: an event that nobody refers to any more is still unfinished."""
    book = ledger()
    book.start("p", 7, Receipt())
    gc.collect()
    assert len(book) == 1
    assert book.committable("p") == 7


def test_age_is_that_of_the_oldest() -> None:
    now = 10.0
    book: OffsetLedger[str, Receipt] = OffsetLedger(clock=lambda: now)
    assert book.oldest_age_s() == 0
    first = Receipt()
    book.start("p", 0, first)
    now = 12.0
    book.start("q", 0, Receipt())
    now = 15.0
    assert book.oldest_age_s() == 5.0
    book.finish("p", 0, first)
    assert book.oldest_age_s() == 3.0


@given(
    st.lists(st.integers(0, 60), min_size=1, unique=True),
    st.data(),
)
def test_commit_is_never_past_unfinished_work(offsets: list[int], data: st.DataObject) -> None:
    """In whatever order offsets start (a seek back included) and finish."""
    book = ledger()
    open_receipts: dict[int, Receipt] = {}
    for started, offset in enumerate(offsets, start=1):
        open_receipts[offset] = Receipt()
        book.start("p", offset, open_receipts[offset])
        finished = data.draw(st.lists(st.sampled_from(sorted(open_receipts)), unique=True))
        for done in finished:
            assert book.finish("p", done, open_receipts.pop(done))
        expected = min(open_receipts) if open_receipts else max(offsets[:started]) + 1
        assert book.committable("p") == expected
