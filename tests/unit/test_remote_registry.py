"""Against a registry that speaks Confluent's import protocol and refuses what Confluent's does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.errors import Fatal
from schemas.registry import FileRegistry
from schemas.remote_registry import register_all


class RegistryServer(ThreadingHTTPServer):
    """Subjects and modes in memory."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RegistryRequest)
        self.versions: dict[str, dict[str, object]] = {}
        self.modes: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class RegistryRequest(BaseHTTPRequestHandler):
    server: RegistryServer

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> dict[str, object]:
        body: dict[str, object] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def do_GET(self) -> None:
        found = self.server.versions.get(self.path)
        self._answer(200 if found else 404, found or {"error_code": 40402})

    def do_PUT(self) -> None:
        subject = self.path.removeprefix("/mode/").partition("?")[0]
        self.server.modes[subject] = str(self._body()["mode"])
        self._answer(200, {})

    def do_POST(self) -> None:
        subject = self.path.split("/")[2]
        body = self._body()
        if self.server.modes.get(subject) != "IMPORT":
            self._answer(422, {"message": f"Subject {subject} is not in import mode"})
            return
        self.server.versions[f"/subjects/{subject}/versions/{body['version']}"] = body
        self._answer(200, {"id": body["id"]})

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with RegistryServer() as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def test_every_schema_is_registered_once_under_its_own_id(server: RegistryServer) -> None:
    registry = FileRegistry()
    assert register_all(registry, server.url) == len(registry.versions())
    assert {entry["id"] for entry in server.versions.values()} == {
        schema.schema_id for schema in registry.versions()
    }
    assert set(server.modes.values()) == {"READWRITE"}
    assert register_all(registry, server.url) == 0


def test_another_id_for_our_schema_stops_the_worker(server: RegistryServer) -> None:
    registry = FileRegistry()
    register_all(registry, server.url)
    server.versions["/subjects/feedback-value/versions/1"]["id"] = 777
    with pytest.raises(Fatal, match="feedback-value v1 as id 777, but our messages carry id 3"):
        register_all(registry, server.url)


def test_no_registry_is_a_sentence(server: RegistryServer) -> None:
    server.server_close()
    with pytest.raises(Fatal, match="PREFSTREAM_REGISTRY_URL"):
        register_all(FileRegistry(), "http://127.0.0.1:9")
