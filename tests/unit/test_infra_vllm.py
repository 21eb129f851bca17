"""vLLM's own environment: what is missing is said before anything starts."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from infra.ports import free_port
from infra.settings import Settings
from infra.vllm import environment, install, is_ready, python_of, start
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


def interpreter(path: Path, packages: str = "") -> Path:
    """A python that has the packages of this folder alone."""
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec "{sys.executable}" -S "$@"\n')
    path.chmod(0o755)
    return path


def with_vllm(tmp_path: Path) -> Path:
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").touch()
    return interpreter(tmp_path / "python", str(tmp_path))


def test_a_named_interpreter_that_has_vllm_is_used_and_nothing_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = with_vllm(tmp_path)
    monkeypatch.setenv("PREFSTREAM_VLLM_PYTHON", str(python))
    settings = Settings(cache_dir=tmp_path / "cache")
    assert python_of(settings) == install(settings) == python
    assert not settings.cache_dir.exists()
    result = CliRunner().invoke(app, ["vllm", "install"])
    assert result.output == f"nothing to install: PREFSTREAM_VLLM_PYTHON is used, {python}\n"


def test_a_link_to_an_interpreter_stays_the_one_of_its_environment(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(with_vllm(tmp_path))
    assert python_of(Settings(vllm_python=link)) == link


def test_a_named_interpreter_that_cannot_serve_is_refused_with_the_remedy(tmp_path: Path) -> None:
    text, foreign = tmp_path / "text", tmp_path / "foreign"
    text.write_text("no program")
    foreign.write_bytes(b"\x7fELF of another machine")
    foreign.chmod(0o755)
    for path, told in [
        (tmp_path / "none", "nothing that can be run; give DIR/bin/python"),
        (tmp_path, "nothing that can be run"),
        (text, "nothing that can be run"),
        (foreign, "cannot be started: Exec format error"),
        (interpreter(tmp_path / "bare"), "has no vLLM; install it there"),
    ]:
        with pytest.raises(ConfigError, match=told) as raised:
            start(Settings(vllm_python=path), tmp_path, name="judge", port=1)
        assert str(raised.value).startswith(f"PREFSTREAM_VLLM_PYTHON={path}")


def test_nobody_on_the_port_is_not_ready() -> None:
    assert not is_ready(free_port())
