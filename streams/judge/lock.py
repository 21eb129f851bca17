"""Used versions are immutable: their hashes stand in ``lock.json`` beside them, in git.

A version enters the lock at its first use by a judge. From then on another content under the same
name is refused, since events of before name it too.
"""

import json
import os
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from schemas.errors import ConfigError
from schemas.ids import ConfigHash
from streams.versioned import Versioned, versioned_path

FILE_NAME = "lock.json"
_HASHES = TypeAdapter(dict[str, ConfigHash])


def lock(project_dir: Path, used: Versioned, *, add: bool = True) -> None:
    """Check a version against its folder's lock; a version that is not in it is added.

    ``add`` False only checks: a version on trial may still change.
    Raises ``ConfigError`` where it was locked with another content, or the lock cannot be used.
    """
    ref, content_hash = used.ref, used.hash
    path = project_dir / used.folder / FILE_NAME
    hashes = _read(path)
    known = hashes.get(ref)
    if known == content_hash or (known is None and not add):
        return
    if known is not None:
        file = versioned_path(project_dir, type(used), ref)
        raise ConfigError(
            f"{file}: {ref} was changed after it was used (its hash is {content_hash}, {path} has "
            f"{known}); restore it and make a new version of it, a file beside it"
        )
    content = json.dumps(dict(sorted((hashes | {ref: content_hash}).items())), indent=2)
    draft = path.with_name(f"{FILE_NAME}.{os.getpid()}")
    try:
        draft.write_text(f"{content}\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: {ref} cannot be locked ({error.strerror}); use the project once where it can "
            "be written, and keep the lock with it"
        ) from None


def _read(path: Path) -> dict[str, ConfigHash]:
    try:
        return _HASHES.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError):
        raise ConfigError(
            f"{path} is no lock file (names and their hashes, as JSON); restore it from git"
        ) from None
