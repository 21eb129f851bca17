"""A database made from a script of its owner, who is trusted: it runs outside the sandbox."""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb

from schemas.errors import ConfigError
from streams.verify.sandbox.database import Dialect


def build_database(script: Path, target: Path, dialect: Dialect) -> None:
    """Run the script in a new database file ``target``; raises ConfigError with its complaint."""
    try:
        sql = script.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{script}: {error}; --setup must name a SQL script") from error
    try:
        if dialect == "duckdb":
            with duckdb.connect(str(target)) as connection:
                connection.execute(sql)
        else:
            with closing(sqlite3.connect(target)) as file, file:
                file.executescript(sql)
    except (duckdb.Error, sqlite3.Error, ValueError) as error:
        raise ConfigError(f"{script}: {dialect} refuses the script: {error}") from error
