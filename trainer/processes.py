"""The processes of one training: torchrun or accelerate start as many, each with the same command.

The first reads, gates, publishes, prints and saves. The others are handed the rows and train on
them with it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from schemas.events import Preference
from streams.inference.device import compute_device
from trainer.policy import Progress, Train, TrainedPolicy, Watch

T = TypeVar("T")

# The others wait while the first one evaluates, and tries a canary.
_PATIENCE = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the first process trains, for the others."""

    rows: Sequence[Preference]
    policy_path: Path
    out_dir: Path


def count() -> int:
    """How many processes train together, 1 where no launcher said otherwise."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that publishes, prints and saves."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def leading(train: Train) -> Iterator[Train]:
    """In the first process: ``train`` that the others take part in, as often as it is called.

    They wait for it until the block ends, then they are told to end.
    """
    waiting = count() > 1

    def train_together(
        rows: Sequence[Preference], policy_path: Path, out_dir: Path, watch: Watch
    ) -> TrainedPolicy:
        nonlocal waiting
        if waiting:
            _shared(Work(rows=rows, policy_path=policy_path, out_dir=out_dir))
        # What fails here fails in each of them.
        others, waiting = waiting, False
        trained = train(rows, policy_path, out_dir, watch)
        waiting = others
        return trained

    try:
        yield train_together
    finally:
        if waiting:
            _shared(None)


def follow(train: Train) -> None:
    """In every other process: take part in each training of the first one."""
    while (work := _shared(None)) is not None:
        train(work.rows, work.policy_path, work.out_dir, _unseen)


def first_before_others(work: Callable[[], T]) -> T:
    """What ``work`` gives; it is done by the first process before any other does it too.

    Nobody goes on before all have done it: the others may be removing from a folder what the first
    one would already write there.
    """
    if count() == 1:
        return work()
    from accelerate import PartialState

    with PartialState().main_process_first():
        found = work()
    PartialState().wait_for_everyone()
    return found


def wait_for_all() -> None:
    """Return once every process is here."""
    if count() > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()


def any_of(mine: bool) -> bool:
    """Whether it holds in one of the processes; each of them has to ask."""
    if count() == 1:
        return mine
    from accelerate.utils import gather_object

    return any(gather_object([mine]))


def _shared(work: Work | None) -> Work | None:
    """What the first process gave to this call."""
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    if compute_device() == "cuda":
        PartialState(timeout=_PATIENCE)
    else:
        PartialState(cpu=True, backend="gloo", timeout=_PATIENCE)
    shared = broadcast_object_list([work])
    found: Work | None = shared[0]
    return found


def _unseen(_: Progress) -> None:
    """The first process shows the progress."""
