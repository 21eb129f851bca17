"""A frozen dataset on disk: Parquet rows with their manifest."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import ConfigError
from schemas.events import Preference
from trainer.full_disk import a_full_disk_is_fatal
from trainer.manifest import MANIFEST_FILE, ROWS_FILE, Manifest, read_manifest
from trainer.row_hash import row_sha256

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_CHECKS = pa.map_(pa.string(), pa.string())
_COLUMNS: dict[str, pa.DataType] = {
    "event_id": pa.string(),
    "occurred_at": pa.timestamp("us", tz="UTC"),
    "workload_id": pa.string(),
    "config_hash": pa.string(),
    "source_ids": pa.list_(pa.string()),
    "prompt_id": pa.string(),
    "prompt": _MESSAGES,
    "chosen": _MESSAGES,
    "rejected": _MESSAGES,
    "chosen_id": pa.string(),
    "rejected_id": pa.string(),
    "source": pa.string(),
    "rubric_version": pa.string(),
    "teacher_model": pa.string(),
    "judge_config_hash": pa.string(),
    "margin": pa.float64(),
    "agreement": pa.float64(),
    "chosen_checks": _CHECKS,
    "rejected_checks": _CHECKS,
    "chosen_length": pa.int64(),
    "rejected_length": pa.int64(),
    "slice": pa.string(),
    "panel": pa.string(),
    "marks": pa.list_(pa.string()),
}
_ROWS_AT_ONCE = 1000
_MAY_BE_NONE = frozenset({"margin", "agreement"})
SCHEMA = pa.schema(list(_COLUMNS.items()))
"""The columns of rows.parquet: prompt, chosen and rejected are message lists as TRL reads them."""


@dataclass(frozen=True, kw_only=True)
class FrozenDataset:
    """Rows in the order of their event ids, with the manifest that vouches for them."""

    manifest: Manifest
    rows: tuple[Preference, ...]


def write(dataset: FrozenDataset, out_dir: Path) -> Path:
    """Write rows.parquet and manifest.json; returns the manifest's path. See ``write_files``."""
    return write_files(
        dataset.manifest, out_dir, lambda file: pq.write_table(table_of(dataset.rows), file)
    )


def write_files(manifest: Manifest, out_dir: Path, write_rows: Callable[[Path], object]) -> Path:
    """Have the rows written and the manifest beside them; returns the manifest's path.

    The manifest goes last and by rename, so a folder with a manifest is always complete.
    Raises ``ConfigError`` if another dataset's manifest is there already, ``Fatal`` if there is no
    room.
    """
    path = out_dir / MANIFEST_FILE
    if path.exists() and read_manifest(path) != manifest:
        raise ConfigError(
            f"{path}: holds another dataset; train on that one with --manifest, or choose another "
            "folder"
        )
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, sort_keys=True)
    rows_part, manifest_part = out_dir / f"{ROWS_FILE}.part", out_dir / f"{MANIFEST_FILE}.part"
    with a_full_disk_is_fatal(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        write_rows(rows_part)
        os.replace(rows_part, out_dir / ROWS_FILE)
        manifest_part.write_text(text + "\n", encoding="utf-8")
        os.replace(manifest_part, path)
    return path


def table_of(rows: Iterable[Preference]) -> pa.Table:
    """The rows as the columns of a dataset."""
    return pa.Table.from_pylist([_columns(row) for row in rows], schema=SCHEMA)


def load(path: Path) -> FrozenDataset:
    """The dataset of a manifest (or of the folder it is in), its rows checked against the hash.

    Raises ``ConfigError`` where a file is missing or the rows are not those that were frozen.
    """
    manifest = read_manifest(path)
    folder = path if path.is_dir() else path.parent
    rows = tuple(stored_rows(folder))
    check_rows(rows, manifest, folder)
    return FrozenDataset(manifest=manifest, rows=rows)


def stored_rows(folder: Path) -> Iterator[Preference]:
    """The rows of a dataset as they are on disk, read a few at a time, not checked.

    Raises ``ConfigError`` where they cannot be read.
    """
    file = folder / ROWS_FILE
    try:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_ROWS_AT_ONCE):
                yield from map(_preference, batch.to_pylist())
    except (OSError, pa.ArrowException) as error:
        raise ConfigError(f"{file}: cannot be read ({error}); freeze the manifest again") from None


def check_rows(rows: Iterable[Preference], manifest: Manifest, folder: Path) -> None:
    """Raise ``ConfigError`` where the rows are not those that the manifest vouches for."""
    if row_sha256(rows, manifest.row_schema) != manifest.row_sha256:
        raise ConfigError(
            f"{folder / ROWS_FILE}: the rows are not those of the manifest (hash differs); "
            "freeze it again"
        )


def _columns(row: Preference) -> dict[str, object]:
    record = row.model_dump()
    for checks in ("chosen_checks", "rejected_checks"):
        record[checks] = list(record[checks].items())
    return record | {"source": row.source.value}


def _preference(record: dict[str, object]) -> Preference:
    """A column that the file does not have yet is its field's default."""
    record = {name: v for name, v in record.items() if v is not None or name in _MAY_BE_NONE}
    for checks in ("chosen_checks", "rejected_checks"):
        record[checks] = dict(record[checks])  # type: ignore[call-overload]
    return Preference.model_validate(record)
