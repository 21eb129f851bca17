"""`prefstream train`: what was asked for is done, or refused before anything is read or written."""

import json
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from tests.command_line import prefstream
from tests.frozen_rows import frozen_rows
from tests.preferences import human, preference, said
from tests.tiny_policy import save_tiny_policy
from trainer.dataset import write

TOO_LATE = [
    ("--range", "0:0-1"),
    ("--source", "human"),
    ("--judge-config", "jc"),
    ("--judge-config", "current"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.yaml").write_text("workload: shop\n", encoding="utf-8")
    rows = [human("h"), preference("near", prompt=said("What is  ITEM1?", "user"))]
    write(frozen_rows(rows), tmp_path / "data")
    save_tiny_policy(tmp_path / "old")
    return tmp_path


def refused(project: Path, *options: str | Path, policy: str = "old", out: str = "new") -> str:
    """The sentence; nothing was written."""
    before = sorted(project.iterdir())
    found = prefstream(
        *("train", "--manifest", project / "data", "--project", project),
        *("--policy", project / policy, "--out", project / out, *options),
    )
    assert isinstance(found.exception, ConfigError), found.output
    assert sorted(project.iterdir()) == before
    return str(found.exception)


@pytest.mark.parametrize("option", TOO_LATE)
def test_the_rows_of_a_manifest_are_chosen(project: Path, option: tuple[str, str]) -> None:
    assert "the rows of a --manifest are chosen: leave them out" in refused(project, *option)


@pytest.mark.parametrize(
    ("prompt_id", "asked"), [("prompt of h", "something else"), ("bench-1", "what is item1")]
)
@pytest.mark.parametrize("option", ["--exclude", "--prompts"])
def test_a_manifest_with_what_must_stay_out_is_refused(
    project: Path, option: str, prompt_id: str, asked: str
) -> None:
    """By id, and by text under another id."""
    kept = {
        "prompt_id": prompt_id,
        "messages": [{"role": "user", "content": asked}],
        "expectations": [{"kind": "NUMERIC", "spec": "1"}],
    }
    (project / "kept.jsonl").write_text(json.dumps(kept), encoding="utf-8")
    said_ = refused(project, option, project / "kept.jsonl")
    assert "1 prompts of the dataset are a held-out one, or nearly; freeze it again" in said_


def test_what_can_be_known_at_once_is_said_before_the_rows_are_read(project: Path) -> None:
    """No dataset is left behind by it, and no policy evaluated for it."""
    (project / "data" / "rows.parquet").unlink()
    assert "old: not empty; choose another folder" in refused(project, out="old")
    assert "none: no model checkpoint (config.json is missing)" in refused(project, policy="none")
    save_tiny_policy(project / "mute", template=None)
    assert "mute: the tokenizer has no chat template" in refused(project, policy="mute")
