"""A frozen dataset on disk: Parquet rows with their manifest."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from infra.full_disk import a_full_disk_is_fatal
from schemas.errors import ConfigError
from schemas.events import EVENTS, Event, Preference
from schemas.registry import RegisteredSchema
from trainer.manifest import MANIFEST_FILE, ROWS_FILE, Manifest, of_pairs, read_manifest
from trainer.plain_rows import plain_rows
from trainer.row_hash import row_schema, row_sha256

_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True)
class FrozenDataset:
    """Pairs in the order of their event ids, with the manifest that vouches for them."""

    manifest: Manifest
    rows: tuple[Preference, ...]


def write(dataset: FrozenDataset, out_dir: Path) -> Path:
    """Write rows.parquet and manifest.json; returns the manifest's path. See ``write_files``."""

    def write_rows(file: Path) -> Manifest:
        pq.write_table(table_of(dataset.rows, row_schema(dataset.manifest.row_schema)), file)
        return dataset.manifest

    write_files(out_dir, write_rows)
    return out_dir / MANIFEST_FILE


def write_files(out_dir: Path, write_rows: Callable[[Path], Manifest]) -> Manifest:
    """Have the rows written, and the manifest that is given for them beside them.

    The manifest goes last and by rename, so a folder with a manifest is always complete.
    Raises ``ConfigError`` if another dataset's manifest is there already, ``Fatal`` if there is no
    room.
    """
    path = out_dir / MANIFEST_FILE
    held = read_manifest(path) if path.exists() else None
    rows_part, manifest_part = out_dir / f"{ROWS_FILE}.part", out_dir / f"{MANIFEST_FILE}.part"
    with a_full_disk_is_fatal(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        manifest = write_rows(rows_part)
        if held not in (None, manifest):
            rows_part.unlink()
            raise ConfigError(
                f"{path}: holds another dataset; train on that one with --manifest, or choose "
                "another folder"
            )
        os.replace(rows_part, out_dir / ROWS_FILE)
        text = json.dumps(manifest.model_dump(mode="json"), indent=2, sort_keys=True)
        manifest_part.write_text(text + "\n", encoding="utf-8")
        os.replace(manifest_part, path)
    return manifest


@cache
def columns_of(schema_id: int) -> pa.Schema:
    """The columns of rows.parquet: as in Avro, so message lists are as TRL reads them."""
    return plain_rows((), row_schema(schema_id)).table().schema


def table_of(rows: Iterable[Event], schema: RegisteredSchema) -> pa.Table:
    """The rows as the columns of a dataset."""
    columns = columns_of(schema.schema_id)
    return pa.Table.from_pylist([_columns(row) for row in rows], schema=columns)


def load(path: Path) -> FrozenDataset:
    """The dataset of a manifest (or of the folder it is in), its rows checked against the hash.

    Raises ``ConfigError`` where a file is missing, the rows are not those that were frozen, or
    they are no pairs.
    """
    manifest = of_pairs(path)
    folder = path if path.is_dir() else path.parent
    rows = [row for row in stored_rows(folder, manifest) if isinstance(row, Preference)]
    check_rows(rows, manifest, folder)
    return FrozenDataset(manifest=manifest, rows=tuple(rows))


def stored_rows(folder: Path, manifest: Manifest) -> Iterator[Event]:
    """The rows of a dataset as they are on disk, read a few at a time, not checked.

    Raises ``ConfigError`` where they cannot be read.
    """
    file, event = folder / ROWS_FILE, EVENTS[manifest.topic]
    try:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_ROWS_AT_ONCE):
                yield from (_event(event, record) for record in batch.to_pylist())
    except (OSError, pa.ArrowException, ValidationError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}); freeze the manifest again") from None


def check_rows(rows: Iterable[Event], manifest: Manifest, folder: Path) -> None:
    """Raise ``ConfigError`` where the rows are not those that the manifest vouches for."""
    if row_sha256(rows, row_schema(manifest.row_schema)) != manifest.row_sha256:
        raise ConfigError(
            f"{folder / ROWS_FILE}: the rows are not those of the manifest (hash differs); "
            "freeze it again"
        )


def _columns(row: Event) -> dict[str, object]:
    """A map is a list of its entries."""
    record = row.model_dump()
    return {
        name: [{"key": key, "value": item} for key, item in value.items()]
        if isinstance(value, dict)
        else value
        for name, value in record.items()
    }


def _event(event: type[Event], record: dict[str, Any]) -> Event:
    """A column that the file does not have yet, or that is None, is its field's default."""
    fields = event.model_fields
    given = {name: value for name, value in record.items() if value is not None}
    for name in given:
        if getattr(fields[name].annotation, "__origin__", None) is dict:
            # Older files have Arrow's map, whose entries are pairs.
            given[name] = dict(
                tuple(entry.values()) if isinstance(entry, dict) else entry for entry in given[name]
            )
    return event.model_validate(given)
