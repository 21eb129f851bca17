"""The rules of freeze, as one query over the preferences in log order.

DuckDB runs it over rows in memory and over Parquet on disk alike, and spills what memory does not
hold. It expects the relations ``log`` (the columns of a dataset, ``_ordinal`` in the log and
``_digest`` of the row) and ``earlier`` (prompt, chosen and rejected of datasets trained on before).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import duckdb

from schemas.errors import ConfigError
from schemas.records import PreferenceSource
from trainer.row_hash import digests_sha256

# What makes two rows the same to a trainer.
_PAIR = "md5(to_json([prompt, chosen, rejected])::VARCHAR)"

# The first reason counts, and of equal rows the first in the log stays.
_DECIDE = f"""
CREATE TEMP TABLE decided AS
WITH known AS (SELECT DISTINCT {_PAIR} AS pair FROM earlier),
ruled AS (
    SELECT _ordinal, _digest, event_id, source, judge_config_hash, {_PAIR} AS pair,
        CASE
            WHEN row_number() OVER (PARTITION BY event_id ORDER BY _ordinal) > 1
                THEN 'duplicate_event'
            WHEN NOT list_contains($sources, source) THEN 'other_source'
            WHEN source = 'RLAIF' AND judge_config_hash <> $picked THEN 'other_judge_config'
            WHEN prompt_id IN (SELECT unnest($excluded::VARCHAR[])) THEN 'excluded_prompt'
            WHEN chosen = rejected THEN 'same_text'
        END AS reason
    FROM log
)
SELECT * EXCLUDE (pair, reason),
    CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN pair IN (SELECT pair FROM known) THEN 'earlier_dataset'
        WHEN row_number() OVER (PARTITION BY reason IS NULL, pair ORDER BY _ordinal) > 1
            THEN 'duplicate_pair'
    END AS reason
FROM ruled
"""
_ABOUT_PAIRS = "('earlier_dataset', 'duplicate_pair')"
_DIGESTS_AT_ONCE = 10_000


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which sources, which judge of their rlaif rows (None = they must have one), which prompts
    not."""

    sources: Collection[PreferenceSource]
    judge_config_hash: str | None
    excluded_prompt_ids: Collection[str]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What the rules made of a log; the table ``decided`` has each row's reason, NULL = it stays.

    ``counts`` are by source, ``removed`` by reason.
    """

    rows: int
    judge_config_hash: str | None
    counts: dict[str, int]
    removed: dict[str, int]
    row_sha256: str


def decide(db: duckdb.DuckDBPyConnection, rules: Rules) -> Decided:
    """Decide on every row. Raises ``ConfigError`` where rlaif rows have several judges."""
    wanted = {
        "sources": [source.value for source in rules.sources],
        "picked": rules.judge_config_hash,
        "excluded": list(rules.excluded_prompt_ids),
    }
    db.execute(_DECIDE, wanted)
    judges = db.execute(
        "SELECT DISTINCT judge_config_hash FROM decided WHERE source = 'RLAIF' "
        f"AND (reason IS NULL OR reason IN {_ABOUT_PAIRS}) ORDER BY ALL"
    ).fetchall()
    if len(judges) > 1:
        raise ConfigError(
            f"the rlaif rows were judged under {len(judges)} configurations "
            f"({', '.join(name for (name,) in judges)}); pick one with --judge-config"
        )
    counts = _counts(db, "source", "reason IS NULL")
    return Decided(
        rows=sum(counts.values()),
        judge_config_hash=judges[0][0] if judges else None,
        counts=counts,
        removed=_counts(db, "reason", "reason IS NOT NULL"),
        row_sha256=digests_sha256(_digests(db)),
    )


def _counts(db: duckdb.DuckDBPyConnection, column: str, where: str) -> dict[str, int]:
    query = f"SELECT {column}, count(*) FROM decided WHERE {where} GROUP BY ALL ORDER BY ALL"
    return dict(db.execute(query).fetchall())


def _digests(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    found = db.execute("SELECT _digest FROM decided WHERE reason IS NULL ORDER BY event_id")
    while rows := found.fetchmany(_DIGESTS_AT_ONCE):
        yield from (digest for (digest,) in rows)
