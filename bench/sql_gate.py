"""Statements a second of processor time through the SQL gate alone, warm.

    python -m bench.sql_gate [--data DIR] [--rounds 3] [--json]

DIR is a Spider folder: its golden queries and the predictions beside them, each on its own schema.
The parser alone is the reference in the same run: the gate can be no faster. ``cached`` is the
gate asked about what it has seen, which is what repeated answers cost.
"""

import argparse
import json
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import sqlglot
from sqlglot.errors import SqlglotError

from bench.spider_data import SpiderData, load_predictions, load_spider
from schemas.errors import PrefstreamError
from streams.verify.databases import Readable
from streams.verify.gate_cache import GateCache
from streams.verify.sandbox.database import Database
from streams.verify.semantics import semantics
from streams.verify.sql_gate import gate_sql

_DATA = Path(__file__).parents[2] / "shared/data/spider"
_COLUMNS = (
    "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p "
    "WHERE m.type IN ('table', 'view')"
)

Statement = tuple[str, Readable]


def statements(root: Path, data: SpiderData) -> tuple[list[Statement], list[Statement]]:
    """Golden queries and predictions, each with what it may read."""
    readable = {name: _readable(root, name) for name in {q.database for q in data.questions}}
    gold = [(question.gold, readable[question.database]) for question in data.questions]
    systems = [load_predictions(path) for path in sorted((root / "predictions").glob("*.sql"))]
    predicted = [
        (answer, readable[question.database])
        for system in systems
        for question, answer in zip(data.questions, system.answers, strict=True)
    ]
    return gold, predicted


def measure(root: Path, rounds: int) -> dict[str, float]:
    """Statements a second of processor time, the best of the rounds: others use the machine."""
    gold, predicted = statements(root, load_spider(root))
    cache = GateCache(semantics("result_match"), kept=len(gold) + len(predicted))

    def gate(statement: Statement) -> None:
        sql, readable = statement
        gate_sql(sql, dialect="sqlite", tables=readable.tables)

    def cached(statement: Statement) -> None:
        cache.allowed(statement[1], statement[0])

    return {
        "gate_gold_per_s": _rate(gate, gold, rounds),
        "gate_predictions_per_s": _rate(gate, predicted, rounds),
        "cached_gold_per_s": _rate(cached, gold, rounds),
        "parse_gold_per_s": _rate(_parse, gold, rounds),
    }


def _rate(run: Callable[[Statement], None], asked: Sequence[Statement], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds + 1):  # the first warms up
        started = time.process_time()
        for statement in asked:
            run(statement)
        best = min(best, time.process_time() - started)
    return len(asked) / best


def _parse(statement: Statement) -> None:
    try:
        sqlglot.parse(statement[0], dialect="sqlite")
    except SqlglotError:
        return


def _readable(root: Path, name: str) -> Readable:
    path = root / "database" / name / f"{name}.sqlite"
    tables: dict[str, set[str]] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        for table, column in file.execute(_COLUMNS):
            tables.setdefault(table.lower(), set()).add(column.lower())
    database = Database(dialect="sqlite", path=str(path), tables=frozenset(tables))
    columns = {table: frozenset(names) for table, names in tables.items()}
    return Readable(database=database, tables=columns)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_DATA, help="the Spider folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        figures = measure(options.data, options.rounds)
    except (PrefstreamError, sqlite3.Error) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:24}{value:12,.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
