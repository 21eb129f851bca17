"""The databases of a project by name: where they are, what is in them, what may be read."""

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from schemas.errors import ConfigError
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.replica_pool import Replica, ReplicaPool
from streams.verify.sandbox.result import QueryError
from streams.verify.settings import DatabaseSettings, VerifySettings
from streams.verify.warehouse_file import WarehouseFile

Tables = Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Readable:
    """A database with the columns of the tables that may be read, all names in lower case."""

    database: Database
    tables: Tables
    file: WarehouseFile | None = None
    """The file it is; None where it is a replica."""

    def problem(self) -> str | None:
        """Why a result from this database can no longer be trusted, None where it can."""
        return None if self.file is None else self.file.change()


class Databases:
    """Finds databases by name and asks each once for its schema."""

    def __init__(self, settings: VerifySettings, project_dir: Path, pool: SandboxPool) -> None:
        """Adds replicas to the pool. Raises ConfigError where a file is missing or cannot be read,
        or where the environment does not say where a replica is.
        """
        self._files = {each.name: _located(each, project_dir) for each in settings.databases}
        if settings.sqlite_root is not None:
            self._files |= _folder(project_dir / settings.sqlite_root)
        self._content = {
            name: WarehouseFile.read(each.path, each.dialect)
            for name, each in self._files.items()
            if not each.is_replica
        }
        size, limits = settings.children or os.cpu_count() or 1, pool.limits
        for each in self._files.values():
            if each.dsn_env is not None:
                replica = ReplicaPool(_replica(each), size=size, limits=limits)
                pool.replicas[each.path] = replica
        self._pool = pool
        self._readable: dict[str, Readable] = {}

    def content_sha256(self) -> str:
        """Hex hash of all files by name: a changed warehouse changes verdicts. What a replica holds
        is not in it.
        """
        digest = hashlib.sha256()
        for name, file in sorted(self._content.items()):
            digest.update(f"{name}\0{file.sha256}".encode())
        return digest.hexdigest()

    def dialects(self) -> frozenset[str]:
        """Which engines are needed."""
        return frozenset(database.dialect for database in self._files.values())

    async def get(self, name: str | None) -> Readable | str:
        """The database of that name (None: the only one), or why there is none."""
        found = self._named(name)
        if isinstance(found, str):
            return found
        file = self._content.get(found.name)
        problem = None if file is None else file.problem()
        if problem is not None:
            return problem
        if found.name not in self._readable:
            readable = await self._look(found)
            if isinstance(readable, str):
                return readable
            self._readable[found.name] = readable
        return self._readable[found.name]

    def _named(self, name: str | None) -> DatabaseSettings | str:
        if name is None and len(self._files) == 1:
            return next(iter(self._files.values()))
        if name is not None and name in self._files:
            return self._files[name]
        known = ", ".join(sorted(self._files)[:20]) or "none"
        wanted = (
            "no database is named by the expectation" if name is None else f"no database {name}"
        )
        return f"{wanted}; the project has: {known}"

    async def _look(self, found: DatabaseSettings) -> Readable | str:
        closed = Database(dialect=found.dialect, path=found.path, tables=frozenset())
        schema = await self._pool.schema(closed)
        if isinstance(schema, QueryError):
            return f"the schema of database {found.name} cannot be read: {schema.message}"
        tables = {
            table: columns for table, columns in schema.items() if _is_allowed(table, found.views)
        }
        if not tables:
            return f"database {found.name} has none of the views {list(found.views or ())}"
        return Readable(
            database=Database(dialect=found.dialect, path=found.path, tables=frozenset(tables)),
            tables=tables,
            file=self._content.get(found.name),
        )


def readable_paths(settings: VerifySettings, project_dir: Path) -> list[str]:
    """What the children of a pool have to read for these settings."""
    files = (each for each in settings.databases if not each.is_replica)
    paths = [project_dir / database.path for database in files]
    if settings.sqlite_root is not None:
        paths.append(project_dir / settings.sqlite_root)
    return [str(path) for path in paths]


def _is_allowed(table: str, views: tuple[str, ...] | None) -> bool:
    return views is None or any(fnmatchcase(table, view.lower()) for view in views)


def _located(database: DatabaseSettings, project_dir: Path) -> DatabaseSettings:
    """The settings with the path by which the pool knows the database."""
    if database.is_replica:
        return database.model_copy(update={"path": f"replica:{database.name}"})
    path = (project_dir / database.path).resolve()
    if not path.is_file():
        raise ConfigError(
            f"database {database.name}: there is no file {path}; "
            "correct verify.databases[].path, which is relative to the project directory"
        )
    return database.model_copy(update={"path": str(path)})


def _replica(database: DatabaseSettings) -> Replica:
    module = database.driver or "psycopg"
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        remedy = "'prefstream[postgres]'" if database.driver is None else "the driver's package"
        raise ConfigError(
            f"database {database.name}: there is no module {module}; install it with: "
            f"pip install {remedy}"
        )
    dsn = os.environ.get(database.dsn_env or "")
    if not dsn:
        raise ConfigError(
            f"database {database.name}: the environment variable {database.dsn_env} is not set; "
            "put the replica's connection string there (postgresql://reader:…@host/database)"
        )
    return Replica(
        dsn=dsn,
        schema=database.postgres_schema,
        driver=database.driver or "",
        session=database.session,
        columns_query=database.columns_query,
        state_query=database.state_query,
    )


def _folder(root: Path) -> dict[str, DatabaseSettings]:
    files = sorted(root.resolve().glob("*/*.sqlite"))
    found = {
        path.stem: DatabaseSettings(name=path.stem, path=str(path), dialect="sqlite")
        for path in files
        if path.stem == path.parent.name
    }
    if not found:
        raise ConfigError(
            f"verify.sqlite_root: {root} holds no NAME/NAME.sqlite; "
            "correct the path, which is relative to the project directory"
        )
    return found
