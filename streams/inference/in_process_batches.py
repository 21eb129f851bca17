"""Jobs from many callers, gathered into batches on one worker thread."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")


class MicroBatches(Generic[Job]):
    """Runs ``run`` on a thread of its own with the jobs that came in together.

    A batch begins with the first job that waits; others join it for ``linger_s`` or until
    ``max_batch``. Jobs that come while a batch runs form the next. ``run`` must not raise: it
    tells each job's outcome to whoever waits for that job.
    """

    def __init__(
        self, run: Callable[[list[Job]], None], *, name: str, max_batch: int, linger_s: float
    ) -> None:
        self._run = run
        self._max_batch = max_batch
        self._linger_s = linger_s
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        # a daemon: a process that is told to stop does not wait for a long batch
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> bool:
        """Queue a job; False once closed."""
        with self._lock:
            if not self._closed:
                self._jobs.put(job)
            return not self._closed

    def close(self) -> None:
        """Finish what is queued, then end the thread. Blocks until then."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        last = False
        while not last:
            job = self._jobs.get()
            if job is None:
                return
            batch = [job]
            deadline = time.monotonic() + self._linger_s
            while len(batch) < self._max_batch:
                try:
                    job = self._jobs.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    break
                if job is None:
                    last = True
                    break
                batch.append(job)
            self._run(batch)
