"""What the server does by itself while the pages are served, such as filling the queues."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Self

from schemas.errors import ConfigError, PrefstreamError

_log = logging.getLogger("prefstream.review")

_TICK_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Chore:
    """Something done every so often, counted from its end."""

    name: str
    every_s: float
    do: Callable[[], object]


class Chores:
    """A thread that does the chores as long as the context lasts. One that fails says so once, and
    is tried again at its time."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._due_s = {chore.name: 0.0 for chore in chores}
        self._said = {chore.name: "" for chore in chores}
        self._chores = tuple(chores)
        self._closed = Event()
        self._thread = Thread(target=self._run, name="review-chores", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after the chore that is going on."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            for chore in self._chores:
                if not self._closed.is_set() and time.monotonic() >= self._due_s[chore.name]:
                    self._do(chore)
                    self._due_s[chore.name] = time.monotonic() + chore.every_s
            self._closed.wait(_TICK_S)

    def _do(self, chore: Chore) -> None:
        try:
            chore.do()
            self._said[chore.name] = ""
        except PrefstreamError as error:
            if str(error) != self._said[chore.name]:
                self._said[chore.name] = str(error)
                _log.warning("%s waits: %s", chore.name, error)


@dataclass
class Board:
    """The sentence that stands on every page, as it was last found out."""

    ask: Callable[[], str | None]
    sentence: str | None = field(default=None, init=False)

    def renew(self) -> None:
        """Ask again. What a person has to repair, such as a damaged ledger, is the sentence then;
        while Kafka is away the last one stays."""
        try:
            self.sentence = self.ask()
        except ConfigError as error:
            self.sentence = str(error)

    def __call__(self) -> str | None:
        """The sentence, None where there is nothing to say."""
        return self.sentence
