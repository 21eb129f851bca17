"""The secret behind the codes in judge prompts: configured, or made once for a data folder."""

import os
import secrets
from pathlib import Path

from infra.settings import Settings
from schemas.errors import ConfigError

_FILE = "nonce.key"
_BYTES = 32


def nonce_key(settings: Settings) -> bytes:
    """``PREFSTREAM_NONCE_KEY``, else the data folder's own key, made at the first call.

    All judge workers that share a verdict store must have the same one, or a redone call is a new
    one. Raises ``ConfigError`` where the file cannot be read or made.
    """
    if settings.nonce_key is not None:
        return settings.nonce_key.get_secret_value().encode()
    path = settings.data_dir / _FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be used ({error.strerror}); correct the folder's rights, or set "
            "PREFSTREAM_NONCE_KEY"
        ) from None


def _make(path: Path) -> None:
    """Whole or not at all, and never over another worker's."""
    draft = path.with_name(f"{_FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(_BYTES))
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
