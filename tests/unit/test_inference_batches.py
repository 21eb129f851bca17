"""Jobs of many callers in one batch: which wait for which."""

import queue
import threading

from streams.inference.in_process_batches import MicroBatches

# Long enough that a test which has to wait for it to pass would be seen.
_FOREVER_S = 60.0


class Runs:
    """Batches as they begin; each runs until it is let go."""

    def __init__(self, *, max_batch: int, linger_s: float, gather_s: float) -> None:
        self.begun: queue.Queue[list[int]] = queue.Queue()
        self.go_on = threading.Semaphore(0)
        self.batches = MicroBatches[int](
            self._run, name="test", max_batch=max_batch, linger_s=linger_s, gather_s=gather_s
        )

    def _run(self, jobs: list[int]) -> None:
        self.begun.put(jobs)
        self.go_on.acquire()


def test_a_full_batch_waits_for_nobody() -> None:
    runs = Runs(max_batch=2, linger_s=_FOREVER_S, gather_s=_FOREVER_S)
    for job in (1, 2):
        runs.batches.submit(job)
    assert runs.begun.get(timeout=10) == [1, 2]
    runs.go_on.release()
    runs.batches.close()


def test_who_came_while_a_batch_ran_is_joined_by_who_comes_after() -> None:
    runs = Runs(max_batch=2, linger_s=0.0, gather_s=_FOREVER_S)
    runs.batches.submit(1)
    assert runs.begun.get(timeout=10) == [1]
    runs.batches.submit(2)
    runs.go_on.release()
    runs.batches.submit(3)
    assert runs.begun.get(timeout=10) == [2, 3]
    runs.go_on.release()
    runs.batches.close()


def test_closing_runs_what_is_queued_without_waiting_for_more() -> None:
    runs = Runs(max_batch=9, linger_s=0.0, gather_s=_FOREVER_S)
    runs.batches.submit(1)
    assert runs.begun.get(timeout=10) == [1]
    runs.batches.submit(2)
    for _ in range(2):
        runs.go_on.release()
    runs.batches.close()
    assert runs.begun.get(timeout=10) == [2]
    assert not runs.batches.submit(3)
