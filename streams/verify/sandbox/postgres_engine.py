"""A Postgres replica, read through one connection that can do nothing else.

What keeps a hostile query harmless, outermost first: the gate (one SELECT over the allowed views,
functions by allow-list); the extended protocol, which takes a single statement, and that inside
``DECLARE … CURSOR FOR``, which takes a query only; a transaction that is read-only and always
rolled back; a role that may read the views and nothing else (a superuser is refused); the server's
statement timeout; and a process that has this one socket and, once connected, no network.
"""

from collections.abc import Generator

import psycopg
from psycopg import sql as syntax
from psycopg.pq import ExecStatus

from streams.verify.sandbox.limits import Limits

_FETCHED = 256
_CONNECT_S = 5
# Of the wall limit: the server ends the query before the kernel ends the child, which would cost
# a new connection.
_SERVER_SHARE = 0.8
# Each would let SQL reach beyond the tables it may read.
_POWERFUL_ROLE = """
SELECT rolname,
    rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    OR pg_has_role(oid, 'pg_read_server_files', 'USAGE')
    OR pg_has_role(oid, 'pg_write_server_files', 'USAGE')
    OR pg_has_role(oid, 'pg_execute_server_program', 'USAGE')
FROM pg_roles WHERE rolname = current_user
"""
_SCHEMA = """
SELECT c.relname, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND a.attnum > 0
    AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT')
"""

_Chunks = Generator[list[tuple[object, ...]], None, None]
Result = tuple[tuple[str, ...], _Chunks]
"""Column names, and the rows in chunks."""


class PostgresEngine:
    """One connection to one schema of a server."""

    def __init__(self, dsn: str, schema: str, limits: Limits) -> None:
        """Raises psycopg.Error where there is no connection, PermissionError for a role that may
        do more than read.
        """
        self._schema = schema
        self.state = ""
        """Which transactions the last query saw: equal where it saw the same data."""
        self.timed_out = False
        self._connection = psycopg.connect(
            dsn, autocommit=True, connect_timeout=_CONNECT_S, prepare_threshold=None
        )
        timeout_ms = str(int(limits.wall_s * _SERVER_SHARE * 1000))
        for setting, value in (
            ("default_transaction_read_only", "on"),
            ("statement_timeout", timeout_ms),
            ("lock_timeout", timeout_ms),
            ("idle_in_transaction_session_timeout", timeout_ms),
            ("search_path", schema),
            ("TimeZone", "UTC"),
            ("max_parallel_workers_per_gather", "0"),
            ("jit", "off"),
        ):
            self._connection.execute("SELECT set_config(%s, %s, false)", [setting, value])
        row = self._connection.execute(_POWERFUL_ROLE).fetchone()
        if row is None or row[1]:
            raise PermissionError(
                f"role {row[0] if row else '?'} may do more than read; "
                "make one with nothing but SELECT on the views that answers may query"
            )

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone for good."""
        return bool(self._connection.closed or self._connection.broken)

    def schema(self) -> list[tuple[object, ...]]:
        """Every (table, column) of the schema that the role may read."""
        with self._connection.cursor() as cursor:
            return list(cursor.execute(_SCHEMA, [self._schema]).fetchall())

    def run(self, sql: str) -> Result:
        """Columns and rows; raises psycopg.Error as the server does."""
        self.timed_out = False
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            seen = self._connection.execute("SELECT pg_current_snapshot()::text").fetchone()
            self.state = "" if seen is None else str(seen[0])
            # not by execute(): without parameters it would take several statements
            declared = self._connection.pgconn.exec_params(
                b"DECLARE answer NO SCROLL CURSOR WITHOUT HOLD FOR " + sql.encode(), None
            )
            if declared.status != ExecStatus.COMMAND_OK:
                raise psycopg.errors.lookup(_code(declared.error_field(67)))(
                    declared.error_message.decode("utf-8", "replace").strip()
                )
            cursor = self._connection.execute("FETCH FORWARD 0 FROM answer")
        except BaseException as error:
            self._end(error)
            raise
        return tuple(column.name for column in cursor.description or ()), self._chunks()

    def _chunks(self) -> _Chunks:
        fetch = syntax.SQL("FETCH FORWARD {} FROM answer").format(syntax.Literal(_FETCHED))
        ended: BaseException | None = None
        try:
            while rows := self._connection.execute(fetch).fetchall():
                yield rows
        except BaseException as error:
            ended = error
            raise
        finally:
            self._end(ended)

    def _end(self, error: BaseException | None) -> None:
        self.timed_out = isinstance(error, psycopg.errors.QueryCanceled)
        if not self.is_lost:
            self._connection.execute("ROLLBACK")


def _code(field: bytes | None) -> str:
    """The SQLSTATE; XX000 (internal error) where the server gave none."""
    code = (field or b"").decode("ascii", "replace")
    try:
        psycopg.errors.lookup(code)
    except KeyError:
        return "XX000"
    return code
