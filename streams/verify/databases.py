"""The databases of a project by name: where they are, what is in them, what may be read."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from schemas.errors import ConfigError
from streams.verify.sandbox.database import Database
from streams.verify.sandbox.pool import SandboxPool
from streams.verify.sandbox.result import QueryError
from streams.verify.settings import DatabaseSettings, VerifySettings

Tables = Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Readable:
    """A database with the columns of the tables that may be read, all names in lower case."""

    database: Database
    tables: Tables


class Databases:
    """Finds databases by name and asks each once for its schema."""

    def __init__(self, settings: VerifySettings, project_dir: Path, pool: SandboxPool) -> None:
        """Raises ConfigError where a file is missing."""
        self._files = {each.name: _file(each, project_dir) for each in settings.databases}
        if settings.sqlite_root is not None:
            self._files |= _folder(project_dir / settings.sqlite_root)
        self._pool = pool
        self._readable: dict[str, Readable] = {}

    def content_sha256(self) -> str:
        """Hex hash of all files by name: a changed warehouse changes verdicts."""
        digest = hashlib.sha256()
        for name, database in sorted(self._files.items()):
            digest.update(name.encode() + b"\0")
            with Path(database.path).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def dialects(self) -> frozenset[str]:
        """Which engines are needed."""
        return frozenset(database.dialect for database in self._files.values())

    async def get(self, name: str | None) -> Readable | str:
        """The database of that name (None: the only one), or why there is none."""
        found = self._named(name)
        if isinstance(found, str):
            return found
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
        )


def _is_allowed(table: str, views: tuple[str, ...] | None) -> bool:
    return views is None or any(fnmatchcase(table, view.lower()) for view in views)


def _file(database: DatabaseSettings, project_dir: Path) -> DatabaseSettings:
    path = (project_dir / database.path).resolve()
    if not path.is_file():
        raise ConfigError(
            f"database {database.name}: there is no file {path}; "
            "correct verify.databases[].path, which is relative to the project directory"
        )
    return database.model_copy(update={"path": str(path)})


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
