"""Liveness and readiness of a worker, answered from a thread that a blocked loop cannot stop."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import BaseModel, ConfigDict

# The loop ticks twice a second; half a minute without one means that a stage blocks it.
TICK_INTERVAL_S = 0.5
TICK_LIMIT_S = 30.0


class Health(BaseModel):
    """What a worker says of itself.

    ``alive``: its loop ticks. An offset that stands still is no reason to kill it (the broker may
    be away, a dependency down): ``oldest_pending_age_s`` and ``paused_reason`` are for alerts.
    ``ready``: it has partitions and takes events in.
    """

    model_config = ConfigDict(frozen=True)

    stage: str
    pid: int
    alive: bool
    ready: bool
    tick_age_s: float
    oldest_pending_age_s: float
    pending: int
    partitions: int
    paused_reason: str | None
    paused_sentence: str | None
    paused_for_s: float
    taken: int
    sent: int
    discarded: int
    dead: int


class Heartbeat:
    """When the event loop last turned."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def tick(self) -> None:
        self._last = time.monotonic()

    def age_s(self) -> float:
        return time.monotonic() - self._last


class HealthServer:
    """``/live`` and ``/ready`` on loopback: 200 or 503 with the same JSON; ``/`` is always 200.

    Port 0 takes a free one; ``url`` says which.
    """

    def __init__(self, report: Callable[[], Health], port: int = 0) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                health = report()
                good = {"/live": health.alive, "/ready": health.ready}.get(self.path, True)
                body = json.dumps(health.model_dump()).encode()
                self.send_response(200 if good else 503)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Probes come every few seconds; they are no news."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
