"""The secret of judge prompts: configured, or one for all workers of a data folder."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.nonce_key import nonce_key
from infra.settings import Settings
from schemas.errors import ConfigError


def test_workers_of_a_folder_share_a_key_that_nobody_else_reads(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as workers:
        keys = set(workers.map(nonce_key, [settings] * 32))
    assert keys == {nonce_key(settings)}
    assert len(keys.pop()) == 32
    (file,) = settings.data_dir.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert nonce_key(Settings(data_dir=tmp_path / "other")) != nonce_key(settings)


def test_a_configured_key_is_used_and_never_shown(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, nonce_key=SecretStr("a long enough secret"))
    assert nonce_key(settings) == b"a long enough secret"
    assert "enough" not in repr(settings)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match="PREFSTREAM_NONCE_KEY"):
        nonce_key(Settings(data_dir=tmp_path / "data"))
