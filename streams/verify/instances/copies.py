"""The copies of one golden query: built, asked what gold gives there, and kept or thrown away."""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from streams.verify.gold import GoldFailed, GoldQuery, GoldRuns
from streams.verify.instances.draw import Rows, draw_rows
from streams.verify.instances.gold_constants import Compared, compared, views_read
from streams.verify.instances.links import with_joins
from streams.verify.instances.shape import Shape, sha256_of
from streams.verify.result_match import GoldResult, Match
from streams.verify.sandbox.database import COPY_SUFFIX, Database

VERSION = "3"
"""Of everything that decides what the copies hold."""

Build = Callable[[Path, Shape, Rows], None]
"""Writes a copy's file."""

# Of these the result can depend on the order in which rows are stored. SQLite also takes columns
# that are neither grouped nor aggregated, from any row.
_ORDER_SENSITIVE = (
    exp.Limit, exp.Offset, exp.Fetch, exp.Window, exp.Distinct, exp.ArrayAgg, exp.GroupConcat,
    exp.AnyValue, exp.First, exp.Last, exp.ArgMax, exp.ArgMin, exp.Mode, exp.Anonymous,
    exp.AnonymousAggFunc,
)  # fmt: skip

# Draws for one copy before it is given up: many golds find nothing on the first.
_DRAWS = 4


class CopyFailed(Exception):
    """No copy of this database can be built; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One copy, its number among those that were wanted, and what gold gives on it."""

    number: int
    database: Database
    gold: GoldResult
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Copies that can tell; ``left_out`` says why each of the others was given up."""

    wanted: int
    counted: tuple[Copy, ...]
    left_out: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(copy.size_bytes for copy in self.counted)


@dataclass(frozen=True, kw_only=True)
class CopyPlan:
    """What is needed to build the copies of one golden query."""

    shape: Shape
    gold: GoldQuery
    compared: Compared
    seed: str
    stem: str
    """How the names of the copies' files begin; no two plans of one folder share it."""
    may_depend_on_storage: bool = True

    @classmethod
    def of(cls, shape: Shape, gold: GoldQuery, content_sha256: str) -> "CopyPlan":
        """The rows follow from the shape and gold's text alone.

        Not from the file: a warehouse that is built again has other bytes for the same rows, and
        the verdicts on it must not change for that.
        """
        views = {name: tree for name, sql in shape.views.items() if (tree := _query(sql, shape))}
        read = views_read(gold.tree, views)
        found = compared(gold.tree, read, shape)
        return cls(
            shape=with_joins(shape, found),
            gold=gold,
            compared=found,
            seed=sha256_of(VERSION, shape.fingerprint, gold.sql),
            stem=sha256_of(content_sha256, gold.sql)[:24],
            may_depend_on_storage=shape.dialect == "sqlite"
            or any(tree.find(*_ORDER_SENSITIVE) for tree in (gold.tree, *read.values())),
        )

    def rows(self, number: int, draw: int) -> Rows:
        """The rows of one draw for one copy."""
        return draw_rows(self.shape, self.compared, random.Random(f"{self.seed}:{number}:{draw}"))


async def build_copies(
    plan: CopyPlan,
    wanted: int,
    folder: Path,
    tables: frozenset[str],
    runs: GoldRuns,
    build: Build,
) -> Copies:
    """Build them in the folder. Raises CopyFailed where none can be built at all."""
    counted: list[Copy] = []
    left_out: list[str] = []
    for number in range(1, wanted + 1):
        reason = ""
        for draw in range(_DRAWS):
            found = await _one(plan, (number, draw), folder, tables, runs, build)
            if isinstance(found, Copy):
                counted.append(found)
                break
            reason = found
        else:
            left_out.append(f"copy {number}: {reason}")
    return Copies(wanted=wanted, counted=tuple(counted), left_out=tuple(left_out))


async def _one(
    plan: CopyPlan,
    drawn: tuple[int, int],
    folder: Path,
    tables: frozenset[str],
    runs: GoldRuns,
    build: Build,
) -> Copy | str:
    """The copy, or why this draw tells nothing."""
    number, draw = drawn
    stem = f"{plan.stem}-{number}-{draw}"
    path, turned = folder / f"{stem}{COPY_SUFFIX}", folder / f"{stem}-turned{COPY_SUFFIX}"
    keep = False
    try:
        rows = await asyncio.to_thread(plan.rows, number, draw)
        await asyncio.to_thread(_built, build, path, plan.shape, rows)
        database = Database(dialect=plan.shape.dialect, path=str(path), tables=tables)
        gold = await runs.run(database, plan.gold)
        if runs.is_untold(gold):
            return "gold gives nothing there"
        if plan.may_depend_on_storage:
            reverse = {name: each[::-1] for name, each in rows.items()}
            await asyncio.to_thread(_built, build, turned, plan.shape, reverse)
            other = Database(dialect=plan.shape.dialect, path=str(turned), tables=tables)
            again = await runs.run(other, plan.gold)
            if runs.compare(gold, again.result).match is Match.DIFFERENT:
                return "what gold gives there depends on the order in which rows are stored"
        keep = True
        return Copy(number=number, database=database, gold=gold, size_bytes=path.stat().st_size)
    except GoldFailed as error:
        return str(error)
    finally:
        for each in [turned] if keep else [path, turned]:
            with contextlib.suppress(OSError):
                each.unlink(missing_ok=True)


def _built(build: Build, path: Path, shape: Shape, rows: Rows) -> None:
    try:
        build(path, shape, rows)
    except (sqlite3.Error, duckdb.Error, OSError, OverflowError) as error:
        raise CopyFailed(f"a copy cannot be built: {error}") from error


def _query(create: str, shape: Shape) -> exp.Expr | None:
    """The query of a CREATE VIEW, None where it cannot be read."""
    try:
        tree = sqlglot.parse_one(create, dialect=shape.dialect)
    except SqlglotError:
        return None
    return tree.expression if isinstance(tree, exp.Create) else None


def remove(copies: Copies) -> None:
    """Delete the files; a child that has one open reads on."""
    for copy in copies.counted:
        with contextlib.suppress(OSError):
            Path(copy.database.path).unlink(missing_ok=True)
