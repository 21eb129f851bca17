"""The rules of freeze, as one query over the events in log order.

DuckDB runs it over Parquet on disk and spills what memory does not hold. It expects the relations
``log`` (the columns of a dataset, ``_ordinal`` in the log and ``_digest`` of the row) and, for
pairs, ``earlier`` (prompt, chosen and rejected of datasets trained on before).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import duckdb

from schemas.errors import ConfigError
from schemas.records import PreferenceSource
from trainer.row_hash import digests_sha256

# What makes two rows the same to a trainer.
_PAIR = "md5_number(to_json([prompt, chosen, rejected])::VARCHAR)"

_REPEATED = "row_number() OVER (PARTITION BY event_id ORDER BY _ordinal) > 1"

# The first reason counts, and of equal rows the first in the log stays.
_PAIRS = f"""
CREATE TEMP TABLE decided AS
WITH known AS (SELECT DISTINCT {_PAIR} AS pair FROM earlier),
ruled AS (
    SELECT _ordinal, _digest, event_id, source AS counted, judge_config_hash, {_PAIR} AS pair,
        CASE
            WHEN {_REPEATED} THEN 'duplicate_event'
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
_LABELS = f"""
CREATE TEMP TABLE decided AS
SELECT _ordinal, _digest, event_id, role AS counted,
    CASE WHEN {_REPEATED} THEN 'duplicate_event' END AS reason
FROM log
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

    ``counts`` are by source (of labels: by role), ``removed`` by reason. ``row_sha256`` is over the
    digests of the rows that stay, in the order of their event ids.
    """

    judge_config_hash: str | None
    counts: dict[str, int]
    removed: dict[str, int]
    row_sha256: str

    @property
    def rows(self) -> int:
        """How many stay."""
        return sum(self.counts.values())


def decide_pairs(db: duckdb.DuckDBPyConnection, rules: Rules) -> Decided:
    """Decide on every preference. Raises ``ConfigError`` where rlaif rows have several judges."""
    wanted = {
        "sources": [source.value for source in rules.sources],
        "picked": rules.judge_config_hash,
        "excluded": list(rules.excluded_prompt_ids),
    }
    db.execute(_PAIRS, wanted)
    judges = db.execute(
        "SELECT DISTINCT judge_config_hash FROM decided WHERE counted = 'RLAIF' "
        f"AND (reason IS NULL OR reason IN {_ABOUT_PAIRS}) ORDER BY ALL"
    ).fetchall()
    if len(judges) > 1:
        raise ConfigError(
            f"the rlaif rows were judged under {len(judges)} configurations "
            f"({', '.join(name for (name,) in judges)}); pick one with --judge-config"
        )
    return _decided(db, judges[0][0] if judges else None)


def decide_labels(db: duckdb.DuckDBPyConnection) -> Decided:
    """Decide on every label: all stay, once."""
    db.execute(_LABELS)
    return _decided(db, None)


def _decided(db: duckdb.DuckDBPyConnection, judge_config_hash: str | None) -> Decided:
    return Decided(
        judge_config_hash=judge_config_hash,
        counts=_counts(db, "counted", "reason IS NULL"),
        removed=_counts(db, "reason", "reason IS NOT NULL"),
        row_sha256=digests_sha256(_digests(db)),
    )


def _counts(db: duckdb.DuckDBPyConnection, column: str, where: str) -> dict[str, int]:
    query = f"SELECT {column}, count(*) FROM decided WHERE {where} GROUP BY ALL ORDER BY ALL"
    return dict(db.execute(query).fetchall())


def _digests(db: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    found = db.execute("SELECT _digest FROM decided WHERE reason IS NULL ORDER BY event_id")
    while rows := found.fetchmany(_DIGESTS_AT_ONCE):
        yield from (digest for (digest,) in rows)
