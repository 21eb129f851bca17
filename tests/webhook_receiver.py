"""A real server that a webhook posts to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import SecretStr

KEY = "T0PSECRETKEY42"
"""Part of its address, which must be shown nowhere."""


@contextmanager
def receiver(*answers: int) -> Iterator[tuple[SecretStr, list[dict[str, object]]]]:
    """Its address, and what it got; it gives these status codes in turn, the last one for ever."""
    got: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(json.loads(body))
            self.send_response(answers[min(len(got), len(answers)) - 1])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            yield SecretStr(f"http://127.0.0.1:{httpd.server_port}/hook/{KEY}"), got
        finally:
            httpd.shutdown()
            thread.join()
