"""One file that holds a backup: a tar of the queues and the ledger, with the hash of each."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine

from consumers.backup.ledger import Restored, copy_ledger, fate_of, put_ledger
from consumers.backup.queues import dump, load
from schemas.errors import ConfigError

FORMAT = "prefstream backup 1"
_CONTENTS, _QUEUES, _LEDGER, _HEAD = "contents.json", "review.jsonl", "ledger.jsonl", "ledger.head"


class Contents(BaseModel):
    """What a backup says of itself: when it was made, and the SHA-256 of each part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    at: AwareDatetime
    sha256: dict[str, str]


class Restore(BaseModel):
    """What a restore did: rows by table, and what became of the ledger (None: it had none)."""

    model_config = ConfigDict(frozen=True)

    rows: dict[str, int]
    ledger: Restored | None


def back_up(target: Path, engine: Engine, ledger: Path, at: datetime) -> Contents:
    """Write a backup to ``target``, readable by its owner alone, and only if all of it worked.

    The pages may be in use meanwhile. Raises ``ConfigError`` where ``target`` exists already or
    cannot be written, and ``ChainBroken`` where the ledger is damaged.
    """
    if target.exists():
        raise ConfigError(f"{target} exists already; a backup never replaces another")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            contents = _write(file, engine, ledger, at)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return contents


def restore(source: Path, engine: Engine, ledger: Path) -> Restore:
    """Put a backup back: the queues into an empty database, the ledger beside what is known.

    Raises ``ConfigError``, before anything is changed, for a file that is no backup or is damaged.
    """
    try:
        with tarfile.open(source, "r:gz") as tar:
            parts = _proven(source, tar)
            files = (parts[_LEDGER], parts[_HEAD]) if _LEDGER in parts else None
            fate = None if files is None else fate_of(ledger, files)
            rows = load(engine, parts[_QUEUES].splitlines())
    except FileNotFoundError:
        raise ConfigError(f"{source}: no such file") from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ConfigError(f"{source} is no backup, or is damaged ({error})") from None
    if files is not None and fate == "restored":
        put_ledger(ledger, files)
    return Restore(rows=rows, ledger=fate)


def _write(file: io.BufferedWriter, engine: Engine, ledger: Path, at: datetime) -> Contents:
    hashes: dict[str, str] = {}
    with tarfile.open(fileobj=file, mode="w:gz") as tar, TemporaryFile() as queues:
        digest = hashlib.sha256()
        for line in dump(engine):
            digest.update(line)
            queues.write(line)
        hashes[_QUEUES] = digest.hexdigest()
        _add(tar, _QUEUES, queues, at)
        copied = copy_ledger(ledger)
        for name, content in zip((_LEDGER, _HEAD), copied or (), strict=False):
            hashes[name] = hashlib.sha256(content).hexdigest()
            _add(tar, name, io.BytesIO(content), at)
        contents = Contents(format=FORMAT, at=at, sha256=hashes)
        _add(tar, _CONTENTS, io.BytesIO(contents.model_dump_json().encode()), at)
    return contents


def _add(tar: tarfile.TarFile, name: str, content: io.IOBase, at: datetime) -> None:
    member = tarfile.TarInfo(name)
    member.size = content.seek(0, os.SEEK_END)
    member.mtime, member.mode = int(at.timestamp()), 0o600
    content.seek(0)
    tar.addfile(member, content)


def _proven(source: Path, tar: tarfile.TarFile) -> dict[str, bytes]:
    """Every part by name. Only names we write are read, and nothing is unpacked to the disk."""
    parts = dict(_parts(tar))
    try:
        contents = Contents.model_validate(json.loads(parts.pop(_CONTENTS)))
    except (KeyError, ValueError, ValidationError):
        raise ConfigError(f"{source} is no backup of prefstream") from None
    if contents.format != FORMAT:
        raise ConfigError(
            f"{source} has the format {contents.format!r}; this release reads {FORMAT!r}"
        )
    found = {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()}
    if found != contents.sha256:
        raise ConfigError(f"{source} is damaged: its parts are not those that were written")
    return parts


def _parts(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        content = tar.extractfile(member) if member.name in _NAMES else None
        if content is not None:
            yield member.name, content.read()


_NAMES = frozenset({_CONTENTS, _QUEUES, _LEDGER, _HEAD})
