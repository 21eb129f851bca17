"""The rules of freeze, as one query over the events in log order.

DuckDB runs it over Parquet on disk and spills what memory does not hold. It expects the relations
``log`` (see ``StagedLog``) and, for pairs, ``earlier``: the ``_pair`` of every row of datasets
trained on before.
"""

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from schemas.errors import ConfigError
from schemas.records import PreferenceSource

# Rows lie in the order of the log, so of equal ones the first has the least start.
_FIRSTS = "firsts AS (SELECT min(_start) AS first FROM log GROUP BY event_id)"
_OF_ANY_EVENT = """
            WHEN _start NOT IN (SELECT first FROM firsts) THEN 'duplicate_event'
            WHEN workload_id <> $workload THEN 'other_workload'"""

# Of a panel whose members have rubrics of their own they are joined by +, and all must be it.
_OF_RUBRIC = """list_bool_and(list_transform(string_split(rubric_version, '+'),
                lambda one: one = $rubric OR starts_with(one, $rubric || '/')))"""

# The first reason counts, and of equal rows the first in the log stays. The judge comes last: whom
# nobody picked is known when the others are removed, and the manifest then picks it by name.
_PAIRS = f"""
CREATE TEMP TABLE decided AS
WITH {_FIRSTS},
ruled AS (
    SELECT _start, _size, _pair, event_id, source AS counted, judge_config_hash,
        CASE{_OF_ANY_EVENT}
            WHEN NOT list_contains($sources, source) THEN 'other_source'
            WHEN $rubric IS NOT NULL AND NOT {_OF_RUBRIC} THEN 'other_rubric'
            WHEN prompt_id IN (SELECT unnest($excluded::VARCHAR[])) THEN 'excluded_prompt'
            WHEN $machine::VARCHAR[] IS NOT NULL AND source <> 'HUMAN'
                AND prompt_id NOT IN (SELECT unnest($machine::VARCHAR[])) THEN 'other_prompt'
            WHEN _pair IS NULL THEN 'same_text'
            WHEN source = 'RLAIF' AND judge_config_hash <> $picked THEN 'other_judge_config'
        END AS reason
    FROM log
),
pairs AS (SELECT min(_start) AS first FROM ruled WHERE reason IS NULL GROUP BY _pair)
SELECT * EXCLUDE (_pair, reason),
    CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN _pair IN (SELECT _pair FROM earlier WHERE _pair IS NOT NULL) THEN 'earlier_dataset'
        WHEN _start NOT IN (SELECT first FROM pairs) THEN 'duplicate_pair'
    END AS reason
FROM ruled
"""
_LABELS = f"""
CREATE TEMP TABLE decided AS
WITH {_FIRSTS}
SELECT _start, _size, event_id, role AS counted,
    CASE{_OF_ANY_EVENT} END AS reason
FROM log
"""
_KEPT = """
CREATE TEMP TABLE kept AS
SELECT _start, _size FROM decided WHERE reason IS NULL ORDER BY event_id
"""
_ABOUT_PAIRS = "('earlier_dataset', 'duplicate_pair')"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Of which workload (None = any), which sources, which rubric (``ID`` or ``ID/VERSION``, None =
    any), which judge of their rlaif rows (None = they must have one), which prompts not,
    and of which alone machines' rows (None = any)."""

    workload_id: str | None
    sources: Collection[PreferenceSource]
    rubric: str | None
    judge_config_hash: str | None
    excluded_prompt_ids: Collection[str]
    machine_prompt_ids: Collection[str] | None


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What the rules made of a log; the table ``kept`` has where the rows that stay lie, in the
    order of their event ids.

    ``judge_config_hash`` is the one that was picked, else that of the rlaif rows. ``counts`` are by
    source (of labels: by role), ``removed`` by reason.
    """

    judge_config_hash: str | None
    counts: dict[str, int]
    removed: dict[str, int]

    @property
    def rows(self) -> int:
        """How many stay."""
        return sum(self.counts.values())


def decide_pairs(db: duckdb.DuckDBPyConnection, rules: Rules) -> Decided:
    """Decide on every preference. Raises ``ConfigError`` where rlaif rows have several judges."""
    machine = rules.machine_prompt_ids
    wanted = {
        "workload": rules.workload_id,
        "sources": [source.value for source in rules.sources],
        "rubric": rules.rubric,
        "picked": rules.judge_config_hash,
        "excluded": list(rules.excluded_prompt_ids),
        "machine": machine if machine is None else list(machine),
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
    only = judges[0][0] if judges else None
    return _decided(db, rules.judge_config_hash or only)


def decide_labels(db: duckdb.DuckDBPyConnection, workload_id: str | None) -> Decided:
    """Decide on every label: all of the workload (None = of any) stay, once."""
    db.execute(_LABELS, {"workload": workload_id})
    return _decided(db, None)


def _decided(db: duckdb.DuckDBPyConnection, judge_config_hash: str | None) -> Decided:
    db.execute(_KEPT)
    return Decided(
        judge_config_hash=judge_config_hash,
        counts=_counts(db, "counted", "reason IS NULL"),
        removed=_counts(db, "reason", "reason IS NOT NULL"),
    )


def _counts(db: duckdb.DuckDBPyConnection, column: str, where: str) -> dict[str, int]:
    query = f"SELECT {column}, count(*) FROM decided WHERE {where} GROUP BY ALL ORDER BY ALL"
    return dict(db.execute(query).fetchall())
