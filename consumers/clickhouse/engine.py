"""The engine that the sink writes to: a ClickHouse server, or chdb in this very process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from infra.clickhouse import client
from infra.settings import Settings
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DATABASE = "prefstream"
"""Where the embedded engine keeps the tables; with a server its URL names the database."""


def engine_path(data_dir: Path) -> Path:
    """The folder of the embedded engine's tables."""
    return data_dir.absolute() / "clickhouse" / "tables"


@contextmanager
def embedded(data_dir: Path) -> Iterator["Client"]:
    """chdb on the data folder, owned by this process until the block is left.

    chdb has one process a path: raises ``ConfigError`` where another one has it.
    """
    path = engine_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _owned(path):
        import clickhouse_connect

        opened = clickhouse_connect.get_client(interface="chdb", path=str(path))
        try:
            opened.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")
            opened.database = DATABASE
            yield opened
        finally:
            opened.close()


@contextmanager
def server(settings: Settings) -> Iterator["Client"]:
    """The configured server; raises ``DependencyDown`` where it does not answer."""
    opened = client(settings)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _owned(path: Path) -> Iterator[None]:
    with path.with_name("owner").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"process {_owner(file)} already writes the tables in {path}; query them through "
                "it (`prefstream query`), or stop it with `prefstream down`"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _owner(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "?"
