"""Bounded concurrency: a sliding window of tasks."""

import asyncio
from collections.abc import Callable, Coroutine


class Window:
    """At most ``size`` tasks at a time; a slot is free again when its task has ended.

    The first task that fails is reported to ``on_failure``, once. Cancelled tasks are no failure.
    """

    def __init__(self, size: int, on_failure: Callable[[BaseException], None]) -> None:
        self._slots = asyncio.Semaphore(size)
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_failure = on_failure
        self.failure: BaseException | None = None

    async def slot(self) -> None:
        """Take a slot, waiting for one; follow with `start` or `give_back`."""
        await self._slots.acquire()

    def give_back(self) -> None:
        """Return a slot that was not used."""
        self._slots.release()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run the work in the slot that was taken."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self.failure is None:
            self.failure = error
            self._on_failure(error)

    async def drain(self, within_s: float) -> int:
        """Wait for the tasks under way, then cancel what is left; returns how many that were."""
        tasks = set(self._tasks)
        if not tasks:
            return 0
        _, late = await asyncio.wait(tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    def __len__(self) -> int:
        return len(self._tasks)
