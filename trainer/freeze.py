"""Freeze: a log into a dataset whose every removed row is counted with its reason.

Rules are queries over the keys of the log on disk, whose answer says in which order the rows are
gathered from there; so memory stays flat, and no row is sorted whole.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow.parquet as pq

from schemas.codec import HEADER_BYTES
from schemas.errors import ConfigError
from schemas.events import TOPICS, Label
from schemas.records import PreferenceSource, Record
from trainer.dataset import FrozenDataset, columns_of, load, write_files
from trainer.freeze_keys import pairs_in
from trainer.freeze_rules import Rules, decide_labels, decide_pairs
from trainer.handover import hand_over
from trainer.manifest import Manifest, of_pairs
from trainer.row_hash import RowHash
from trainer.staged_log import StagedLog, fetched

GATED_SOURCES = (PreferenceSource.RLAIF, PreferenceSource.VERIFIER, PreferenceSource.HUMAN)
"""What a gated run trains on; thumbs are a baseline and must be asked for."""


class FreezeSettings(Record):
    """Which preferences go into the dataset.

    ``workload_id`` None = those of every workload. ``rubric`` is ``ID`` or ``ID/VERSION``: what was
    decided under that one, None = under any. ``judge_config_hash`` picks one among the RLAIF
    rows; without it they must all have the same.
    ``excluded_prompt_ids`` are prompts that measure something (anchors, benchmark). Of prompts
    that are not among ``machine_prompt_ids`` only people's rows are taken; None = of any all.
    """

    sources: tuple[PreferenceSource, ...] = GATED_SOURCES
    workload_id: str | None = None
    rubric: str | None = None
    judge_config_hash: str | None = None
    excluded_prompt_ids: frozenset[str] = frozenset()
    machine_prompt_ids: frozenset[str] | None = None

    def rules(self) -> Rules:
        """As the query takes them."""
        return Rules(
            workload_id=self.workload_id,
            sources=self.sources,
            rubric=self.rubric,
            judge_config_hash=self.judge_config_hash,
            excluded_prompt_ids=self.excluded_prompt_ids,
            machine_prompt_ids=self.machine_prompt_ids,
        )


def freeze(
    log: StagedLog, settings: FreezeSettings, earlier: Sequence[Path], out_dir: Path | None
) -> Manifest:
    """The manifest of a log; with ``out_dir`` the dataset is written there.

    The same log and settings give the same rows. Of rows with the same event id, or the same
    prompt, chosen and rejected text, the first in the log stays, and none that a dataset in one of
    the folders ``earlier`` holds: a pair is not trained on again unseen. Rows stand in the order of
    their event ids, so it does not matter in which order the partitions were read. Of labels only
    repeated events and other workloads are removed. Raises ``ConfigError`` where the RLAIF
    rows have several ``judge_config_hash`` and none was picked, where an earlier folder holds no
    dataset of pairs, or where no row is left to write, and as ``write_files``.
    """
    machine = settings.machine_prompt_ids
    before = [of_pairs(folder).manifest_hash for folder in earlier]
    with log.connect() as db:
        if log.schema.topic == TOPICS[Label]:
            decided = decide_labels(db, settings.workload_id)
        else:
            db.execute("CREATE TEMP TABLE earlier (_pair BLOB)")
            for pairs in pairs_in(earlier):
                db.from_arrow(pairs).insert_into("earlier")
            decided = decide_pairs(db, settings.rules())
        manifest = Manifest(
            ranges=log.ranges,
            schema_ids=log.schema_ids,
            workload_id=settings.workload_id,
            sources=settings.sources,
            rubric=settings.rubric,
            judge_config_hash=decided.judge_config_hash,
            excluded_prompt_ids=tuple(sorted(settings.excluded_prompt_ids)),
            machine_prompt_ids=machine if machine is None else tuple(sorted(machine)),
            earlier=tuple(sorted(before)),
            read=log.rows + log.unreadable,
            rows=decided.rows,
            row_schema=log.schema.schema_id,
            row_sha256="",  # known once the rows were read
            counts=decided.counts,
            removed=dict(sorted((decided.removed | log.removed).items())),
        )

        def read(file: Path | None) -> Manifest:
            return manifest.model_copy(update={"row_sha256": _row_sha256(db, log, file)})

        if out_dir is None:
            return read(None)
        require_rows(manifest)
        return write_files(out_dir, read)


def require_rows(manifest: Manifest) -> None:
    """Raise ``ConfigError`` where no row is left."""
    if not manifest.rows:
        removed = ", ".join(f"{n} {reason}" for reason, n in manifest.removed.items())
        raise ConfigError(
            f"none of {manifest.read} {manifest.topic} is left "
            f"({removed or 'the topic is empty'}); label more answers, or freeze "
            "those of another --source, --rubric or --workload"
        )


def frozen(log: StagedLog, settings: FreezeSettings, earlier: Sequence[Path] = ()) -> FrozenDataset:
    """The dataset of a log, loaded. Raises as ``freeze``."""
    with TemporaryDirectory(dir=log.folder) as name:
        freeze(log, settings, earlier, Path(name))
        return load(Path(name))


def settings_of(manifest: Manifest) -> FreezeSettings:
    """The settings that freeze the manifest's ranges into the same rows again."""
    machine = manifest.machine_prompt_ids
    return FreezeSettings(
        workload_id=manifest.workload_id,
        sources=manifest.sources,
        rubric=manifest.rubric,
        judge_config_hash=manifest.judge_config_hash,
        excluded_prompt_ids=frozenset(manifest.excluded_prompt_ids),
        machine_prompt_ids=machine if machine is None else frozenset(machine),
    )


def _row_sha256(db: duckdb.DuckDBPyConnection, log: StagedLog, file: Path | None) -> str:
    """The hash of the rows that stay; with a ``file`` they are written there in passing."""
    rows_hash = RowHash()

    def kept() -> Iterator[list[bytes]]:
        for values in log.values(fetched(db, "SELECT _start, _size FROM kept")):
            rows_hash.add(value[HEADER_BYTES:] for value in values)
            yield values

    if file is None:
        deque(kept(), maxlen=0)
    else:
        columns = columns_of(log.schema.schema_id)
        # Texts hardly repeat, so a dictionary of them costs time and saves nothing.
        with pq.ParquetWriter(file, columns, use_dictionary=False) as out:
            hand_over(map(log.table, kept()), out.write_table)
    return rows_hash.hexdigest()
