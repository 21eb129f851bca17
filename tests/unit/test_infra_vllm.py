"""vLLM's own environment: what is missing is said before anything starts."""

from pathlib import Path

import pytest

from infra.ports import free_port
from infra.settings import Settings
from infra.vllm import environment, is_ready, python_of, start
from schemas.errors import ConfigError


def installed(tmp_path: Path) -> Settings:
    """Settings whose cache has an environment, as far as anyone looks."""
    settings = Settings(cache_dir=tmp_path / "cache", data_dir=tmp_path / "data")
    environment(settings).mkdir(parents=True)
    (environment(settings) / ".installed").touch()
    return settings


def test_without_an_environment_the_command_that_makes_it_is_named(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path / "cache")
    assert python_of(settings) is None
    with pytest.raises(ConfigError, match="run `prefstream vllm install`"):
        start(settings, tmp_path, name="judge", port=1)


def test_an_environment_that_was_not_finished_is_none(tmp_path: Path) -> None:
    settings = installed(tmp_path)
    assert python_of(settings) == environment(settings) / "bin" / "python"
    (environment(settings) / ".installed").unlink()
    assert python_of(settings) is None


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no model \(no config.json\)"):
        start(installed(tmp_path), tmp_path, name="judge", port=1)


def test_nobody_on_the_port_is_not_ready() -> None:
    assert not is_ready(free_port())
