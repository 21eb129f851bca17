"""No progress bars of the model libraries: the command shows progress itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Read by TRL while it computes the reference.
_TQDM_OFF = "TQDM_DISABLE"


@contextmanager
def quiet() -> Iterator[None]:
    """Progress bars of datasets, transformers and TRL are off inside."""
    import datasets
    from transformers.utils import logging

    before = os.environ.get(_TQDM_OFF)
    data_bars, model_bars = datasets.is_progress_bar_enabled(), logging.is_progress_bar_enabled()
    os.environ[_TQDM_OFF] = "1"
    datasets.disable_progress_bars()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if before is None:
            del os.environ[_TQDM_OFF]
        if data_bars:
            datasets.enable_progress_bars()
        if model_bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
