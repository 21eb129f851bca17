"""Golden queries and predictions from files, paired."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError
from streams.verify.sandbox.database import Dialect
from streams.verify.settings import DatabaseSettings, VerifySettings

_MAGIC_BYTES = 12


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query of a file: ``id`` is its own or, in a file of plain SQL, its line."""

    id: str
    sql: str
    database: str | None
    line: int


@dataclass(frozen=True, kw_only=True)
class SqlPair:
    """A golden query and what is held against it, on the named database (None: the only one)."""

    id: str
    gold: str
    prediction: str
    database: str | None


def read_pairs(gold: Path, predictions: Path) -> list[SqlPair]:
    """A pair for every prediction, in their order; raises ConfigError naming the file and line.

    A file is JSONL of ``{"id", "sql"}`` (a gold one may have ``"db"``), or one query a line, with
    a tab and the database's name behind it where there is one. By id where both are JSONL, else by
    line.
    """
    wanted, found = _read(gold), _read(predictions)
    by_id = {query.id: query for query in wanted}
    if len(by_id) < len(wanted):
        twice = next(query for query in wanted if by_id[query.id] is not query)
        raise ConfigError(f"{gold}:{twice.line}: id {twice.id!r} stands twice; give each query one")
    if len(wanted) != len(found):
        raise ConfigError(
            f"{gold} has {len(wanted)} queries and {predictions} has {len(found)}; "
            f"line {min(len(wanted), len(found)) + 1} has no counterpart"
        )
    pairs = []
    for query in found:
        golden = by_id.get(query.id)
        if golden is None:
            raise ConfigError(
                f"{predictions}:{query.line}: no golden query has id {query.id!r} in {gold}"
            )
        pairs.append(
            SqlPair(id=query.id, gold=golden.sql, prediction=query.sql, database=golden.database)
        )
    return pairs


def database_settings(path: Path) -> VerifySettings:
    """Settings that name the database file, or the folder of ``NAME/NAME.sqlite`` files."""
    if path.is_dir():
        return VerifySettings(sqlite_root=str(path.resolve()))
    database = DatabaseSettings(name=path.stem, path=str(path.resolve()), dialect=_dialect(path))
    return VerifySettings(databases=(database,))


def check_databases(pairs: list[SqlPair], folder: Path, gold: Path) -> None:
    """Raise ConfigError for the first golden query whose database the folder does not have."""
    for number, pair in enumerate(pairs, start=1):
        name = pair.database
        if name is None:
            raise ConfigError(
                f"{gold}: query {number} ({pair.id}) names no database, and {folder} holds many; "
                'add a tab and its name, or "db" in JSONL'
            )
        if not (folder / name / f"{name}.sqlite").is_file():
            raise ConfigError(
                f"{gold}: query {number} ({pair.id}): no {name}/{name}.sqlite in {folder}"
            )


def _dialect(path: Path) -> Dialect:
    try:
        with path.open("rb") as file:
            magic = file.read(_MAGIC_BYTES)
    except OSError as error:
        raise ConfigError(f"database {path} cannot be read: {error.strerror}") from error
    if magic.startswith(b"SQLite forma"):
        return "sqlite"
    if magic[8:12] == b"DUCK":
        return "duckdb"
    raise ConfigError(f"{path} is neither a SQLite nor a DuckDB file")


def _read(path: Path) -> list[Query]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    is_jsonl = lines[:1] != [] and lines[0].lstrip().startswith("{")
    read = _json_lines if is_jsonl else _plain_lines
    return list(read(path, lines))


def _plain_lines(path: Path, lines: list[str]) -> Iterator[Query]:
    for number, line in enumerate(lines, start=1):
        sql, _, database = line.strip().partition("\t")
        if not sql:
            raise ConfigError(f"{path}:{number}: an empty line; write one query a line")
        yield Query(id=str(number), sql=sql, database=database.strip() or None, line=number)


def _json_lines(path: Path, lines: list[str]) -> Iterator[Query]:
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: no JSON ({error})") from error
        if not isinstance(row, dict) or not isinstance(row.get("sql"), str) or "id" not in row:
            raise ConfigError(f'{path}:{number}: expected an object with "id" and "sql" (a text)')
        database = row.get("db")
        if database is not None and not isinstance(database, str):
            raise ConfigError(f'{path}:{number}: "db" must be the name of a database')
        yield Query(id=str(row["id"]), sql=row["sql"], database=database, line=number)
