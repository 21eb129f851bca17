"""Liveness and readiness over HTTP."""

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from streams.runner.health import Health, HealthServer


def health(*, alive: bool, ready: bool) -> Health:
    return Health(
        stage="verify",
        pid=1,
        alive=alive,
        ready=ready,
        tick_age_s=0.1,
        oldest_pending_age_s=2.0,
        pending=3,
        partitions=4,
        paused_reason=None,
        paused_sentence=None,
        paused_for_s=0.0,
        taken=5,
        sent=6,
        discarded=7,
        dead=8,
    )


def status(url: str) -> int:
    try:
        with urlopen(url) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize(
    ("alive", "ready", "live_status", "ready_status"),
    [(True, True, 200, 200), (True, False, 200, 503), (False, True, 503, 200)],
)
def test_status_codes(alive: bool, ready: bool, live_status: int, ready_status: int) -> None:
    server = HealthServer(lambda: health(alive=alive, ready=ready))
    try:
        assert status(f"{server.url}/live") == live_status
        assert status(f"{server.url}/ready") == ready_status
        assert status(server.url) == 200
    finally:
        server.close()


def test_the_answer_is_the_report() -> None:
    server = HealthServer(lambda: health(alive=True, ready=True))
    try:
        with urlopen(server.url) as answer:
            assert Health.model_validate_json(answer.read()) == health(alive=True, ready=True)
    finally:
        server.close()
