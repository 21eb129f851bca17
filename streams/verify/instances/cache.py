"""Copies by golden query, kept as long as there is room."""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from streams.verify.databases import Readable
from streams.verify.gold import GoldRuns
from streams.verify.instances.copies import Copies, CopyFailed, CopyPlan, build_copies, remove
from streams.verify.instances.duckdb_build import DuckdbBuilder
from streams.verify.instances.duckdb_shape import duckdb_shape
from streams.verify.instances.links import with_namesakes
from streams.verify.instances.shape import Shape
from streams.verify.instances.sqlite_build import build_sqlite
from streams.verify.instances.sqlite_shape import sqlite_shape

# A copy is 20 to 100 kB: room for some thousand golden queries on disk.
_KEPT_GOLDS = 4_000
_KEPT_BYTES = 512 * 1024**2

_Key = tuple[str, str]


@dataclass(kw_only=True)
class _Kept:
    """Copies, or their making; ``users`` are the checks that read them now."""

    task: "asyncio.Task[Copies]"
    users: int = 0


class Instances:
    """Builds the copies of a golden query when they are first asked for. Close it."""

    def __init__(self, runs: GoldRuns, wanted: int) -> None:
        self._runs = runs
        self._wanted = wanted
        self._duckdb = DuckdbBuilder()
        self._shapes: dict[str, asyncio.Task[Shape]] = {}
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._folder = tempfile.TemporaryDirectory(
            prefix="prefstream-instances-", ignore_cleanup_errors=True
        )
        self.folder = Path(self._folder.name)
        """Where every copy is: children must be able to read it, and nothing else is in it."""

    @contextlib.asynccontextmanager
    async def of(self, readable: Readable, gold_sql: str) -> AsyncIterator[Copies]:
        """The copies, which stay as long as they are used here; raises CopyFailed, GoldFailed."""
        key = (readable.database.path, gold_sql)
        kept = self._kept.get(key)
        if kept is None:
            kept = _Kept(task=asyncio.create_task(self._make(readable, gold_sql)))
            self._kept[key] = kept
        self._kept.move_to_end(key)
        kept.users += 1
        try:
            yield await asyncio.shield(kept.task)
        finally:
            kept.users -= 1
            self._make_room(key, kept)

    def close(self) -> None:
        """Stop what is being built and delete the folder."""
        for kept in self._kept.values():
            kept.task.cancel()
        for task in self._shapes.values():
            task.cancel()
        self._kept.clear()
        self._duckdb.close()
        self._folder.cleanup()

    async def _make(self, readable: Readable, gold_sql: str) -> Copies:
        shape = await self._shape(readable)
        gold = self._runs.gate(readable, gold_sql)
        content = "" if readable.file is None else readable.file.sha256
        plan = CopyPlan.of(shape, gold, content)
        tables = readable.database.tables
        build = self._duckdb.build if shape.dialect == "duckdb" else build_sqlite
        return await build_copies(plan, self._wanted, self.folder, tables, self._runs, build)

    async def _shape(self, readable: Readable) -> Shape:
        path = readable.database.path
        if path not in self._shapes:
            read = _read_shape(readable.database.dialect, path)
            self._shapes[path] = asyncio.create_task(read)
        try:
            return await asyncio.shield(self._shapes[path])
        except CopyFailed:
            self._shapes.pop(path, None)  # a locked file may be free the next time
            raise

    def _make_room(self, key: _Key, kept: _Kept) -> None:
        if kept.task.done() and (kept.task.cancelled() or kept.task.exception() is not None):
            if self._kept.get(key) is kept:
                del self._kept[key]  # a failure may pass: it is not kept
            return
        size = sum(_size(each) for each in self._kept.values())
        while size > _KEPT_BYTES or len(self._kept) > _KEPT_GOLDS:
            oldest = next(
                (each for each, one in self._kept.items() if not one.users and one.task.done()),
                None,
            )
            if oldest is None:
                return
            dropped = self._kept.pop(oldest)
            size -= _size(dropped)
            remove(dropped.task.result())


async def _read_shape(dialect: str, path: str) -> Shape:
    read = duckdb_shape if dialect == "duckdb" else sqlite_shape
    try:
        return with_namesakes(await asyncio.to_thread(read, path))
    except (sqlite3.Error, duckdb.Error, OSError) as error:
        raise CopyFailed(f"the database cannot be read for copying: {error}") from error


def _size(kept: _Kept) -> int:
    done = kept.task.done() and not kept.task.cancelled() and kept.task.exception() is None
    return kept.task.result().size_bytes if done else 0
