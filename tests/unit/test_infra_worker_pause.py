"""What a worker says of its pause, and that nothing else is taken for one."""

from collections.abc import Callable

import pytest

from infra.ports import LOOPBACK, free_port
from infra.worker_pause import WorkerPause, worker_pause
from streams.runner.health import Health, HealthServer


def health(reason: str | None) -> Callable[[], Health]:
    said = Health(
        stage="judge",
        pid=1,
        alive=True,
        ready=reason is None,
        tick_age_s=0.1,
        oldest_pending_age_s=0.0,
        pending=0,
        partitions=1,
        paused_reason=reason,
        paused_sentence="the budget is spent; raise it" if reason else None,
        paused_for_s=0.0,
        taken=1,
        sent=1,
        discarded=0,
        dead=0,
    )
    return lambda: said


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (None, None),
        ("budget", WorkerPause(reason="budget", sentence="the budget is spent; raise it")),
    ],
)
def test_a_worker_says_why_it_is_paused(reason: str | None, found: WorkerPause | None) -> None:
    server = HealthServer(health(reason))
    try:
        assert worker_pause(server.url) == found
    finally:
        server.close()


def test_who_does_not_answer_is_not_called_paused() -> None:
    assert worker_pause(f"http://{LOOPBACK}:{free_port()}") is None
