"""What moves of the alias amount to: which policies stand behind the one that serves. Pure.

Each move is written down before it is made, so a crash can leave one that never happened.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime

from schemas.records import Record


class Move(Record):
    """One line of the history: the alias goes from ``previous`` to ``version``.

    A ``claim`` moves nothing: a trainer of that ``epoch`` took over, of the workload that it names
    (earlier ones named none). ``epoch`` None: a person.
    """

    at: AwareDatetime
    kind: Literal["promote", "rollback", "claim"]
    version: str = ""
    previous: str | None = None
    run_id: str = ""
    epoch: int | None = None
    workload_id: str = ""


def made(moves: Sequence[Move], current: str | None) -> tuple[Move, ...]:
    """The moves that happened: those whose version the next one, or the alias, starts from."""
    written = [move for move in moves if move.kind != "claim"]
    starts = [*(move.previous for move in written), current][1:]
    return tuple(m for m, start in zip(written, starts, strict=True) if m.version == start)


def standing(moves: Sequence[Move]) -> tuple[Move, ...]:
    """The promotions not taken back, oldest first: the last one serves, the one before is next.

    ``moves`` are those that were made.
    """
    stack: list[Move] = []
    for move in moves:
        if move.kind == "promote":
            stack.append(move)
        elif stack:
            stack.pop()
    return tuple(stack)


def last_epoch(moves: Sequence[Move]) -> int | None:
    """The highest epoch that was ever claimed; None where no trainer ever did."""
    return max((move.epoch for move in moves if move.epoch is not None), default=None)


def claimed_by(moves: Sequence[Move]) -> str | None:
    """The workload whose trainer claimed last; None where no claim names one."""
    return next((move.workload_id for move in reversed(moves) if move.workload_id), None)
