"""The work of the official Spider evaluator for one pair of queries, as a yardstick for speed.

Written from the published description of test-suite execution (Zhong et al. 2020), not from its
code. Per pair it mends both queries, takes DISTINCT out of both by sqlparse's tokens, opens the
database, runs gold and prediction anew in an event loop of their own under a (for SQLite inert)
time limit, and compares results over column permutations. It leaves out what that program also
does: parsing both queries into its own form for hardness and exact match.
"""

import asyncio
import sqlite3
from collections import Counter
from itertools import permutations
from pathlib import Path

import sqlparse

Rows = list[tuple[object, ...]]

_LIMIT_S = 30


def matches(database: Path, gold: str, prediction: str) -> bool:
    """Whether the prediction gives gold's result on every database file of the folder."""
    gold, prediction = _prepared(gold), _prepared(prediction)
    is_ordered = "order by" in gold.lower()
    for file in sorted(database.parent.glob("*.sqlite")):
        wanted = asyncio.run(_run(file, gold))
        found = asyncio.run(_run(file, prediction))
        if wanted is None or found is None or not _same(wanted, found, is_ordered):
            return False
    return True


def _prepared(sql: str) -> str:
    for torn, whole in (("> =", ">="), ("< =", "<="), ("! =", "!=")):
        sql = sql.replace(torn, whole)
    tokens = (str(token) for token in sqlparse.parse(sql)[0].flatten())  # type: ignore[no-untyped-call]
    return "".join(token for token in tokens if token.lower() != "distinct")


async def _run(file: Path, sql: str) -> Rows | None:
    return await asyncio.wait_for(_execute(file, sql), _LIMIT_S)


async def _execute(file: Path, sql: str) -> Rows | None:
    connection = sqlite3.connect(file)
    connection.text_factory = lambda raw: raw.decode(errors="ignore")
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.Error:
        return None
    finally:
        connection.close()


def _same(one: Rows, other: Rows, is_ordered: bool) -> bool:
    if not one and not other:
        return True
    if len(one) != len(other) or len(one[0]) != len(other[0]):
        return False
    if _sorted_rows(one) != _sorted_rows(other):
        return False
    columns = [{row[i] for row in one} for i in range(len(one[0]))]
    theirs = [{row[i] for row in other} for i in range(len(one[0]))]
    for order in permutations(range(len(columns))):
        if any(columns[i] != theirs[column] for i, column in enumerate(order)):
            continue
        turned = [tuple(row[column] for column in order) for row in other]
        if one == turned if is_ordered else Counter(one) == Counter(turned):
            return True
    return False


def _sorted_rows(rows: Rows) -> set[tuple[object, ...]]:
    return {tuple(sorted(row, key=lambda value: str(value) + str(type(value)))) for row in rows}
