"""What a process loads at its start, and garbage collection."""

import gc
import weakref

import pytest

from infra.start_up import start_up


class _Loaded:
    """A cycle, which only the collector could end."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _thawed() -> object:
    yield
    gc.unfreeze()


def test_what_was_loaded_is_not_looked_through_later() -> None:
    with start_up():
        assert not gc.isenabled()
        kept = weakref.ref(_Loaded())
    later = weakref.ref(_Loaded())
    gc.collect()
    assert gc.isenabled()
    assert kept() is not None
    assert later() is None


def test_a_start_that_fails_leaves_collection_on() -> None:
    with pytest.raises(LookupError), start_up():
        raise LookupError
    assert gc.isenabled()
