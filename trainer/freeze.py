"""Freeze: preferences into a dataset whose every removed row is counted with its reason. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.errors import ConfigError
from schemas.events import Preference
from schemas.records import Message, OffsetRange, PreferenceSource, Record
from trainer.dataset import FrozenDataset
from trainer.manifest import Manifest, row_sha256

GATED_SOURCES = (PreferenceSource.RLAIF, PreferenceSource.VERIFIER, PreferenceSource.HUMAN)
"""What a gated run trains on; thumbs are a baseline and must be asked for."""

Reason = Literal[
    "unreadable",
    "duplicate_event",
    "other_source",
    "other_judge_config",
    "excluded_prompt",
    "same_text",
    "duplicate_pair",
    "earlier_dataset",
]


Pair = tuple[str, str, str]
"""Prompt, chosen and rejected text: what makes two rows the same to a trainer."""


class FreezeSettings(Record):
    """Which preferences go into the dataset.

    ``judge_config_hash`` picks one among the RLAIF rows; without it they must all have the same.
    ``excluded_prompt_ids`` are prompts that measure something (anchors, benchmark).
    """

    sources: tuple[PreferenceSource, ...] = GATED_SOURCES
    judge_config_hash: str | None = None
    excluded_prompt_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class LogSlice:
    """Preferences in log order and where they were read; ``unreadable`` records had no event."""

    preferences: Sequence[Preference]
    ranges: tuple[OffsetRange, ...] = ()
    schema_ids: tuple[int, ...] = ()
    unreadable: int = 0


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
    removed: Counter[Reason] = Counter()
    if log.unreadable:
        removed["unreadable"] = log.unreadable
    wanted = _wanted(log.preferences, settings, removed)
    judge_config_hash = _one_judge_config(wanted)
    known = frozenset(_pair(row) for dataset in earlier for row in dataset.rows)
    fresh = _without_duplicate_pairs(wanted, known, removed)
    rows = sorted(fresh, key=lambda row: row.event_id)
    counts = Counter(row.source.value for row in rows)
    manifest = Manifest(
        ranges=log.ranges,
        schema_ids=tuple(sorted(log.schema_ids)),
        sources=settings.sources,
        judge_config_hash=judge_config_hash,
        excluded_prompt_ids=tuple(sorted(settings.excluded_prompt_ids)),
        earlier=tuple(sorted(dataset.manifest.manifest_hash for dataset in earlier)),
        read=len(log.preferences) + log.unreadable,
        rows=len(rows),
        row_sha256=row_sha256(rows),
        counts=dict(sorted(counts.items())),
        removed={reason: removed[reason] for reason in sorted(removed)},
    )
    return FrozenDataset(manifest=manifest, rows=tuple(rows))


def settings_of(manifest: Manifest) -> FreezeSettings:
    """The settings that freeze the manifest's ranges into the same rows again."""
    return FreezeSettings(
        sources=manifest.sources,
        judge_config_hash=manifest.judge_config_hash,
        excluded_prompt_ids=frozenset(manifest.excluded_prompt_ids),
    )


def _wanted(
    preferences: Sequence[Preference], settings: FreezeSettings, removed: Counter[Reason]
) -> list[Preference]:
    seen: set[str] = set()
    wanted = []
    for row in preferences:
        reason = "duplicate_event" if row.event_id in seen else _against(row, settings)
        seen.add(row.event_id)
        if reason is None:
            wanted.append(row)
        else:
            removed[reason] += 1
    return wanted


def _against(row: Preference, settings: FreezeSettings) -> Reason | None:
    if row.source not in settings.sources:
        return "other_source"
    picked = settings.judge_config_hash
    if picked and row.source is PreferenceSource.RLAIF and row.judge_config_hash != picked:
        return "other_judge_config"
    if row.prompt_id in settings.excluded_prompt_ids:
        return "excluded_prompt"
    if _text(row.chosen) == _text(row.rejected):
        return "same_text"
    return None


def _one_judge_config(rows: Iterable[Preference]) -> str | None:
    hashes = {row.judge_config_hash for row in rows if row.source is PreferenceSource.RLAIF}
    if len(hashes) > 1:
        raise ConfigError(
            f"the rlaif rows were judged under {len(hashes)} configurations "
            f"({', '.join(sorted(hashes))}); pick one with --judge-config"
        )
    return hashes.pop() if hashes else None


def _without_duplicate_pairs(
    rows: Iterable[Preference], earlier: frozenset[Pair], removed: Counter[Reason]
) -> Iterable[Preference]:
    seen: set[Pair] = set()
    for row in rows:
        pair = _pair(row)
        if pair in earlier:
            removed["earlier_dataset"] += 1
        elif pair in seen:
            removed["duplicate_pair"] += 1
        else:
            seen.add(pair)
            yield row


def _pair(row: Preference) -> Pair:
    return _text(row.prompt), _text(row.chosen), _text(row.rejected)


def _text(messages: Sequence[Message]) -> str:
    return "\x1e".join(f"{message.role}\x1f{message.content}" for message in messages)
