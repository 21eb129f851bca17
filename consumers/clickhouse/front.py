"""The loopback HTTP front of the embedded engine: ClickHouse's own HTTP interface, read side.

Any ClickHouse HTTP client can query it: the statement in ``query=`` or the body, ``param_x=``,
``database=``, ``default_format=``, settings by name, the password by basic authentication or
``X-ClickHouse-Key``. It answers one process on this machine at a time or many; it never writes.
"""

import base64
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from consumers.clickhouse.engine import DATABASE
from consumers.clickhouse.statement import output_format, refusal

if TYPE_CHECKING:
    from chdb.state.sqlitelike import Connection

_log = logging.getLogger(__name__)

USER = "prefstream"
_QUERY_BYTES = 1024 * 1024
# A page or notebook on the same two cores as the pipeline must not starve it.
_CONCURRENT_QUERIES = 4
_LIMITS = {
    "max_execution_time": "60",
    "max_memory_usage": str(2 * 1024**3),
    "max_result_bytes": str(256 * 1024**2),
    "result_overflow_mode": "throw",
}
# What a client says to the HTTP interface itself; everything else in the URL is a setting.
_TRANSPORT = frozenset(
    {
        "query",
        "database",
        "default_format",
        "user",
        "password",
        "session_id",
        "session_timeout",
        "session_check",
        "query_id",
        "quota_key",
        "compress",
        "decompress",
        "enable_http_compression",
        "wait_end_of_query",
        "buffer_size",
        "client_protocol_version",
        "role",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
        "http_write_exception_in_output_format",
        "stacktrace",
    }
)
_SETTING = re.compile(r"^[a-z][a-z0-9_]*$")
_ERROR_CODE = re.compile(r"Code: (\d+)")


class Front:
    """Serves the engine at ``path`` (which this process must have open) from its own threads."""

    def __init__(self, path: Path, port: int = 0) -> None:
        self._path = str(path)
        self._password = secrets.token_urlsafe(24)
        self._slots = threading.BoundedSemaphore(_CONCURRENT_QUERIES)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="clickhouse-front", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to reach it, with its password: for the state file, not for logs."""
        host, port = self._server.server_address[:2]
        return f"http://{USER}:{self._password}@{host!s}:{port}/{DATABASE}"

    def close(self) -> None:
        """Stop serving; queries under way are cut."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def admits(self, password: str) -> bool:
        """Whether the caller knows the password."""
        return hmac.compare_digest(password.encode(), self._password.encode())

    def answer(self, sql: str, arguments: Mapping[str, str]) -> tuple[bytes, str]:
        """The result's bytes and their format. Raises ``RuntimeError`` with ClickHouse's text."""
        settings = _LIMITS | {k: v for k, v in arguments.items() if _is_setting(k)}
        params = {k[6:]: v for k, v in arguments.items() if k.startswith("param_")}
        wanted = output_format(sql, arguments.get("default_format", "TabSeparated"))
        with self._slots, self._connection() as connection:
            for name, value in settings.items():
                connection.query(f"SET {name} = {_quoted(value)}", "TabSeparated")
            # USE before readonly, readonly last: nothing can be set after it.
            database = arguments.get("database") or DATABASE
            if database != "__default__":
                connection.query(f"USE `{_name(database)}`", "TabSeparated")
            connection.query("SET readonly = 1", "TabSeparated")
            return connection.query(sql, wanted, params=params).bytes() or b"", wanted

    @contextmanager
    def _connection(self) -> Iterator["Connection"]:
        # One a query (1 ms): settings, USE and readonly end with it.
        import chdb

        connect: Any = chdb.connect  # without type hints in some of its builds
        connection = connect(self._path)
        try:
            yield connection
        finally:
            connection.close()


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > _QUERY_BYTES:
                self.close_connection = True
                self._send(413, f"a statement has at most {_QUERY_BYTES} bytes".encode())
                return
            self._serve(self.rfile.read(length))

        def _serve(self, body: bytes) -> None:
            url = urlsplit(self.path)
            arguments = dict(parse_qsl(url.query, keep_blank_values=True))
            if url.path == "/ping":
                self._send(200, b"Ok.\n")
                return
            if not front.admits(self._password(arguments)):
                self._failed(403, 516, "wrong password; the stack's state file has the URL")
                return
            head = arguments.get("query", "")
            sql = "\n".join(part for part in (head, body.decode("utf-8", "replace")) if part)
            if (why := refusal(sql)) is not None:
                self._failed(403, 164, why)
                return
            try:
                answer, wanted = front.answer(sql, arguments)
            except (RuntimeError, ValueError) as error:
                text = str(error).strip()
                code = _ERROR_CODE.search(text)
                self._failed(400, int(code[1]) if code else 1000, text)
                return
            self._send(200, answer, {"X-ClickHouse-Format": wanted})

        def _password(self, arguments: Mapping[str, str]) -> str:
            kind, _, credentials = self.headers.get("Authorization", "").partition(" ")
            if kind.lower() == "basic":
                try:
                    return base64.b64decode(credentials).decode().partition(":")[2]
                except ValueError:
                    return ""
            return self.headers.get("X-ClickHouse-Key") or arguments.get("password", "")

        def _failed(self, status: int, code: int, text: str) -> None:
            body = text if text.startswith("Code: ") else f"Code: {code}. DB::Exception: {text}"
            self._send(status, f"{body}\n".encode(), {"X-ClickHouse-Exception-Code": str(code)})

        def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("X-ClickHouse-Summary", "{}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            _log.debug(format, *args)

    return Handler


def _is_setting(name: str) -> bool:
    return (
        name not in _TRANSPORT
        and name != "readonly"
        and not name.startswith("param_")
        and _SETTING.match(name) is not None
    )


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _name(value: str) -> str:
    if not re.fullmatch(r"\w+", value):
        raise ValueError(f"{value!r} is no name of a database")
    return value
