"""When a process of the stack is up."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from infra.plan import Planned, is_ready
from infra.ports import LOOPBACK, free_port
from infra.process import ProcessSpec
from infra.settings import Settings


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def worker() -> Iterator[str]:
    with HTTPServer((LOOPBACK, 0), _Health) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()
        thread.join()


def _planned(url: str) -> Planned:
    return Planned(spec=ProcessSpec(name="worker-pair", argv=("true",)), ready_url=url)


def test_a_worker_is_up_when_it_says_so(worker: str) -> None:
    assert is_ready(Settings(), _planned(f"{worker}/ready"))
    assert not is_ready(Settings(), _planned(f"{worker}/not-yet"))
    assert not is_ready(Settings(), _planned(f"http://{LOOPBACK}:{free_port()}/ready"))


def test_a_proxy_has_no_part_in_it(worker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{LOOPBACK}:{free_port()}")
    assert is_ready(Settings(), _planned(f"{worker}/ready"))
