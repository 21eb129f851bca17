"""Freeze: preferences into a dataset whose every removed row is counted with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from schemas.events import Preference
from schemas.records import OffsetRange, PreferenceSource, Record
from trainer.dataset import FrozenDataset, table_of
from trainer.freeze_rules import Decided, Rules, decide
from trainer.manifest import Manifest
from trainer.row_hash import row_digest, row_schema

GATED_SOURCES = (PreferenceSource.RLAIF, PreferenceSource.VERIFIER, PreferenceSource.HUMAN)
"""What a gated run trains on; thumbs are a baseline and must be asked for."""


class FreezeSettings(Record):
    """Which preferences go into the dataset.

    ``judge_config_hash`` picks one among the RLAIF rows; without it they must all have the same.
    ``excluded_prompt_ids`` are prompts that measure something (anchors, benchmark).
    """

    sources: tuple[PreferenceSource, ...] = GATED_SOURCES
    judge_config_hash: str | None = None
    excluded_prompt_ids: frozenset[str] = frozenset()
    row_schema: int | None = None
    """Id of the schema that rows are hashed in; None = the newest."""

    def rules(self) -> Rules:
        """As the query takes them."""
        return Rules(
            sources=self.sources,
            judge_config_hash=self.judge_config_hash,
            excluded_prompt_ids=self.excluded_prompt_ids,
        )


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where in the log preferences were read; ``unreadable`` records there had no event."""

    ranges: tuple[OffsetRange, ...] = ()
    schema_ids: tuple[int, ...] = ()
    unreadable: int = 0


@dataclass(frozen=True, kw_only=True)
class LogSlice(Origin):
    """Preferences in log order, and where they were read."""

    preferences: Sequence[Preference]


def freeze(
    log: LogSlice, settings: FreezeSettings, earlier: Sequence[FrozenDataset] = ()
) -> FrozenDataset:
    """The dataset of a slice of the log: the same slice and settings give the same rows.

    Of rows with the same event id, or the same prompt, chosen and rejected text, the first in the
    log stays, and none that an ``earlier`` dataset holds: a pair is not trained on again unseen.
    Rows stand in the order of their event ids, so it does not matter in which order the
    partitions were read. Raises ``ConfigError`` where the RLAIF rows have several
    ``judge_config_hash`` and none was picked.
    """
    schema = row_schema(settings.row_schema)
    digests = [row_digest(row, schema) for row in log.preferences]
    with duckdb.connect() as db:
        table = table_of(log.preferences)
        table = table.append_column("_ordinal", pa.array(range(len(digests)), pa.int64()))
        db.register("log", table.append_column("_digest", pa.array(digests, pa.string())))
        db.register("earlier", table_of(row for dataset in earlier for row in dataset.rows))
        decided = decide(db, settings.rules())
        kept = db.execute("SELECT _ordinal FROM decided WHERE reason IS NULL ORDER BY event_id")
        rows = tuple(log.preferences[ordinal] for (ordinal,) in kept.fetchall())
    manifest = manifest_of(
        decided, settings, log, len(log.preferences), [dataset.manifest for dataset in earlier]
    )
    return FrozenDataset(manifest=manifest, rows=rows)


def manifest_of(
    decided: Decided,
    settings: FreezeSettings,
    log: Origin,
    readable: int,
    earlier: Iterable[Manifest],
) -> Manifest:
    """The manifest of what the rules left of ``readable`` preferences."""
    unreadable = {"unreadable": log.unreadable} if log.unreadable else {}
    return Manifest(
        ranges=log.ranges,
        schema_ids=tuple(sorted(log.schema_ids)),
        sources=settings.sources,
        judge_config_hash=decided.judge_config_hash,
        excluded_prompt_ids=tuple(sorted(settings.excluded_prompt_ids)),
        earlier=tuple(sorted(manifest.manifest_hash for manifest in earlier)),
        read=readable + log.unreadable,
        rows=decided.rows,
        row_schema=row_schema(settings.row_schema).schema_id,
        row_sha256=decided.row_sha256,
        counts=decided.counts,
        removed=dict(sorted((decided.removed | unreadable).items())),
    )


def settings_of(manifest: Manifest) -> FreezeSettings:
    """The settings that freeze the manifest's ranges into the same rows again."""
    return FreezeSettings(
        sources=manifest.sources,
        judge_config_hash=manifest.judge_config_hash,
        excluded_prompt_ids=frozenset(manifest.excluded_prompt_ids),
        row_schema=manifest.row_schema,
    )
