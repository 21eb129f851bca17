"""Whether new events may start, and why not."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from schemas.errors import DependencyDown

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Why intake stands still: ``since_s`` is a monotonic time, ``asked`` counts the questions
    since then."""

    down: DependencyDown
    since_s: float
    asked: int = 0

    @property
    def reason(self) -> str:
        """The short word."""
        return self.down.reason

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""
        return str(self.down)


class Intake:
    """The gate in front of a stage.

    While a dependency is down the gate is closed: no new event starts, and of the events that
    were under way one at a time asks whether the dependency is back, each in its turn: an event
    that fails for reasons of its own does not hold up the others. Nothing is lost: events that
    wait here hold their offsets.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._open = asyncio.Event()
        self._open.set()
        self._probing = asyncio.Lock()
        self._waiting = 0
        self.pause: Pause | None = None

    def down_for_s(self) -> float:
        """How long the gate has been closed, 0 where it is open."""
        return 0.0 if self.pause is None else self._clock() - self.pause.since_s

    async def wait_open(self) -> None:
        """Return once new events may start."""
        await self._open.wait()

    def close(self, down: DependencyDown) -> None:
        """Pause intake; an outage that goes on keeps its beginning."""
        if self.pause is None or self.pause.reason != down.reason:
            logger.warning("%s: intake paused (%s): %s", self._name, down.reason, down)
        if self.pause is None:
            self.pause = Pause(down=down, since_s=self._clock())
        else:
            self.pause = replace(self.pause, down=down)
        self._open.clear()

    def open(self) -> None:
        """Let events in again."""
        if self.pause is not None:
            logger.warning("%s: intake open again after %.1f s", self._name, self.down_for_s())
        self.pause = None
        self._open.set()

    @asynccontextmanager
    async def outage(self, down: DependencyDown) -> AsyncIterator[None]:
        """The block of an event that met the outage.

        When the last of them leaves, by success or because it was cancelled, the gate opens: with
        nobody left to ask, the next event has to find out.
        """
        self._waiting += 1
        self.close(down)
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.open()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Pause | None]:
        """The block in which one event asks, in the order in which they came.

        Gives the pause with this question counted, or None where the outage is over.
        """
        async with self._probing:
            if self.pause is not None:
                self.pause = replace(self.pause, asked=self.pause.asked + 1)
            yield self.pause
