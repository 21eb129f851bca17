"""What `prefstream trainer` may start every training from."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from tests.command_line import prefstream
from tests.tiny_policy import save_tiny_policy


def test_the_alias_is_no_start_for_every_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It moves with each promotion, and pairs would count again."""
    monkeypatch.setenv("PREFSTREAM_MODELS_DIR", str(tmp_path / "models"))
    version = tmp_path / "models" / "versions" / "v1"
    version.mkdir(parents=True)
    alias = tmp_path / "models" / "production"
    alias.symlink_to(Path("versions") / "v1")
    (tmp_path / "latest").symlink_to(alias)
    (tmp_path / "pipeline.yaml").write_text("workload: shop\n", encoding="utf-8")

    def refusal(policy: Path) -> str:
        tried = prefstream("trainer", "--policy", policy, "--project", tmp_path)
        assert isinstance(tried.exception, ConfigError)
        return str(tried.exception)

    for moving in (alias, tmp_path / "latest"):
        assert "moves with each promotion" in refusal(moving)
    # said now, not days later by the first training
    assert "no model checkpoint" in refusal(version)
    # what stays is accepted, and the next thing is missing
    save_tiny_policy(version)
    assert "no held-out prompts" in refusal(version)
