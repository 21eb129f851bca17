"""Freeze of a log that is on disk, flat in memory: rules, rows and manifest are ``freeze``'s."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from trainer.dataset import SCHEMA, table_of, write_files
from trainer.freeze import FreezeSettings, manifest_of
from trainer.freeze_rules import decide
from trainer.manifest import ROWS_FILE, Manifest, read_manifest
from trainer.staged_log import StagedLog

# What the query may hold before it spills to disk.
_MEMORY = "1GB"
_LOG = """
CREATE VIEW log AS
SELECT *, parse_filename(filename, true)::BIGINT + file_row_number AS _ordinal FROM files
"""
_ROW_GROUP_ROWS = 20_480


def freeze_log(
    log: StagedLog, settings: FreezeSettings, earlier: Sequence[Path], out_dir: Path | None
) -> Manifest:
    """The manifest of a log; with ``out_dir`` the dataset is written there.

    ``earlier`` are folders of datasets. Raises as ``freeze`` and ``write_files``.
    """
    with duckdb.connect() as db:
        db.execute(f"SET memory_limit = '{_MEMORY}'; SET enable_progress_bar = false")
        db.execute("SET temp_directory = $folder", {"folder": str(log.folder / "spilled")})
        db.read_parquet(
            log.files, union_by_name=True, filename=True, file_row_number=True
        ).create_view("files")
        db.execute(_LOG)
        if earlier:
            before = [str(folder / ROWS_FILE) for folder in earlier]
            db.read_parquet(before, union_by_name=True).create_view("earlier")
        else:
            db.register("earlier", table_of(()))
        decided = decide(db, settings.rules())
        manifests = [read_manifest(folder) for folder in earlier]
        manifest = manifest_of(decided, settings, log, log.rows, manifests)
        if out_dir is not None:
            write_files(manifest, out_dir, lambda file: _copy(db, file))
        return manifest


def _copy(db: duckdb.DuckDBPyConnection, file: Path) -> None:
    columns = ", ".join(f"log.{name}" for name in SCHEMA.names)
    db.execute(
        f"COPY (SELECT {columns} FROM log JOIN decided USING (_ordinal) "
        "WHERE reason IS NULL ORDER BY log.event_id) TO $file "
        f"(FORMAT parquet, ROW_GROUP_SIZE {_ROW_GROUP_ROWS})",
        {"file": str(file)},
    )
