"""A version: one promoted policy in a folder that is written once, whole, and can be verified."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import AwareDatetime, Field, ValidationError

from infra.durable import sync_folder, write_text
from schemas.errors import ConfigError
from schemas.events import Run
from schemas.records import GateResult, Record
from streams.inference.identity import folder_fingerprint
from trainer.checkpoint import discard_part, part_dir
from trainer.manifest import MANIFEST_FILE, Manifest, read_manifest
from trainer.promotion.model_card import model_card

VERSION_FILE = "version.json"
CARD_FILE = "README.md"
DATASET_FILE = "dataset.json"


class Version(Record):
    """What ``version.json`` holds. ``files`` are the SHA-256 of every other file by name."""

    format_version: int = 1
    name: str
    run_id: str
    workload_id: str
    trained_at: AwareDatetime
    algorithm: str
    hyper_parameters: dict[str, str]
    manifest_hash: str
    policy: str
    fingerprint: str
    gates: tuple[GateResult, ...]
    metrics_before: dict[str, float]
    metrics_after: dict[str, float]
    training: dict[str, float] = Field(default_factory=dict)
    """The numbers of the training itself; none in versions that were written before it was kept."""
    files: dict[str, str] = Field(default_factory=dict)


def version_of(trained: Run, cleared: Run) -> Version:
    """The version that a run makes: the same one every time, so that promoting may be repeated.

    ``cleared`` has the gates after training and their metrics.
    """
    return Version(
        name=f"{trained.occurred_at:%Y%m%dT%H%M%S}-{trained.run_id[:8]}",
        run_id=trained.run_id,
        workload_id=trained.workload_id,
        trained_at=trained.occurred_at,
        algorithm=trained.algorithm,
        hyper_parameters=trained.hyper_parameters,
        manifest_hash=trained.manifest_hash,
        policy=trained.policy,
        fingerprint=trained.fingerprint,
        gates=(*trained.gates, *cleared.gates),
        metrics_before=cleared.metrics_before,
        metrics_after=cleared.metrics_after,
        training=trained.metrics_after,
    )


def write_version(version: Version, checkpoint: Path, manifest: Manifest, folder: Path) -> None:
    """Copy the checkpoint into the new ``folder``, with its card, its dataset's manifest and the
    hash of every file. Written beside it and renamed, so a folder of that name is complete.

    Raises ``ConfigError`` where the checkpoint is not the one that the run trained, ``OSError``
    where the disk takes no more; there is no new folder then.
    """
    part = part_dir(folder)
    discard_part(folder)
    part.mkdir(parents=True)
    try:
        for file in sorted(checkpoint.iterdir()):
            if file.is_file():
                shutil.copyfile(file, part / file.name)
                _sync(part / file.name)
        if (found := folder_fingerprint(part)) != version.fingerprint:
            raise ConfigError(
                f"{checkpoint}: its fingerprint is {found}, and run {version.run_id} trained "
                f"{version.fingerprint}; promote the folder as it was trained"
            )
        write_text(part / DATASET_FILE, manifest.model_dump_json(indent=2) + "\n")
        write_text(part / CARD_FILE, model_card(version, manifest))
        files = {file.name: _sha256(file) for file in sorted(part.iterdir())}
        complete = version.model_copy(update={"files": files})
        write_text(part / VERSION_FILE, complete.model_dump_json(indent=2) + "\n")
        for file in part.iterdir():
            file.chmod(0o444)
        sync_folder(part)
        os.rename(part, folder)
        sync_folder(folder.parent)
    finally:
        discard_part(folder)


def read_version(folder: Path) -> Version:
    """What the folder says of itself; ``ConfigError`` where it is no version."""
    try:
        return Version.model_validate_json((folder / VERSION_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigError(
            f"{folder}: no promoted version ({type(error).__name__}: no valid {VERSION_FILE})"
        ) from None


def damages(folder: Path) -> Mapping[str, str]:
    """What is wrong with a version by file name: missing, changed, added. Empty where it is whole.

    Reads every byte. Raises ``ConfigError`` where the folder is no version.
    """
    known = read_version(folder).files
    present = {file.name for file in folder.iterdir()} - {VERSION_FILE}
    found = dict.fromkeys(known.keys() - present, "missing")
    found |= dict.fromkeys(present - known.keys(), "added")
    for name in present & known.keys():
        if _sha256(folder / name) != known[name]:
            found[name] = "changed"
    return dict(sorted(found.items()))


def dataset_manifest(checkpoint: Path, manifest_hash: str) -> Manifest:
    """The manifest that training wrote beside the checkpoint.

    Raises ``ConfigError`` where it is not there or is another dataset's.
    """
    folder = checkpoint.with_name(f"{checkpoint.name}.dataset")
    manifest = read_manifest(folder / MANIFEST_FILE)
    if manifest.manifest_hash != manifest_hash:
        raise ConfigError(
            f"{folder}: not the dataset that the run was trained on ({manifest_hash[:16]}…); "
            "put that one there, or train again"
        )
    return manifest


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
