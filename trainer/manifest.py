"""The manifest: what exactly a dataset was made of, so that the same rows can be had again."""

import hashlib
import json
from pathlib import Path

from pydantic import Field, ValidationError

from schemas.errors import ConfigError
from schemas.events import TOPICS, Preference
from schemas.records import OffsetRange, PreferenceSource, Record
from trainer.row_hash import row_schema

MANIFEST_FILE = "manifest.json"
ROWS_FILE = "rows.parquet"
PROMPT_LISTS = ("excluded_prompt_ids", "machine_prompt_ids")
"""The fields of a manifest that are too long to read."""
_LATER_FIELDS = ("workload_id", "rubric", "machine_prompt_ids")


class Manifest(Record):
    """Where the rows came from, what was removed and why, and the hash of what is left.

    ``earlier`` are the manifest hashes of the datasets whose pairs were left out. ``read`` is
    always ``rows`` plus everything in ``removed``. ``ranges`` and ``schema_ids`` are
    empty for a dataset that was frozen from a list in this process. ``row_schema`` is the id of
    the schema that the rows are hashed in (see ``row_hash``). ``counts`` are by source. Of labels
    they are by role, and what only pairs have is empty. ``judge_config_hash`` is the one that was
    picked, even where none of its rows is left, or that of the rlaif rows. ``workload_id`` None =
    every workload's, ``rubric`` None = any rubric's. Of prompts that are
    not among ``machine_prompt_ids`` only people's rows were taken; None = of any prompt all.
    """

    format_version: int = 2
    ranges: tuple[OffsetRange, ...] = ()
    schema_ids: tuple[int, ...] = ()
    workload_id: str | None = None
    sources: tuple[PreferenceSource, ...]
    rubric: str | None = None
    judge_config_hash: str | None
    excluded_prompt_ids: tuple[str, ...] = ()
    machine_prompt_ids: tuple[str, ...] | None = None
    earlier: tuple[str, ...] = ()
    read: int = Field(ge=0)
    rows: int = Field(ge=0)
    row_schema: int
    row_sha256: str
    counts: dict[str, int]
    removed: dict[str, int]

    @property
    def topic(self) -> str:
        """Whose events the rows are."""
        return row_schema(self.row_schema).topic

    @property
    def manifest_hash(self) -> str:
        """SHA-256 of the manifest's canonical JSON: the identity of the dataset."""
        # Older manifests, which other ones and runs name by their hash, could not say these.
        silent = {name for name in _LATER_FIELDS if getattr(self, name) is None}
        canonical = json.dumps(self.model_dump(mode="json", exclude=silent), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def of_pairs(path: Path) -> Manifest:
    """The manifest of a dataset of pairs; raises as ``read_manifest``, and for one of labels."""
    manifest = read_manifest(path)
    if manifest.topic != TOPICS[Preference]:
        raise ConfigError(f"{path}: holds {manifest.topic}, no pairs; freeze preferences")
    return manifest


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file, or in the folder; ``ConfigError`` where there is none."""
    file = path / MANIFEST_FILE if path.is_dir() else path
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            f"{file}: no such manifest; make one with `prefstream dataset freeze`"
        ) from None
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{file}: not a dataset manifest ({error}); freeze it again") from None
