"""`prefstream best-of-n`: the choices are a file, or why there can be none is said at once."""

import json
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from tests.command_line import prefstream
from tests.pair_rows import PAIR_ROWS
from tests.tiny_policy import save_tiny_policy
from trainer.reward import RewardConfig, train

pytestmark = pytest.mark.integration

ASKED = ["what is the best answer to item1", "what is the best answer to item2"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    text = "workload: shop\nsample: {models: ['path:policy'], max_tokens: 8}\n"
    (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
    lines = "\n".join(json.dumps({"id": one[-5:], "prompt": one}) for one in ASKED)
    (tmp_path / "prompts.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def test_a_reward_models_choices_are_written(project: Path) -> None:
    policy = save_tiny_policy(project / "policy")
    train(PAIR_ROWS, policy, RewardConfig(epochs=1), project / "reward", lambda _: None)
    done = prefstream(
        *("best-of-n", project / "prompts.jsonl", "--project", project, "-n", 3, "--json"),
        *("--reward", project / "reward", "--out", project / "chosen.jsonl"),
    )
    assert done.exit_code == 0, (done.stderr, done.exception)
    assert json.loads(done.stdout)["n"] == 2
    rows = [json.loads(line) for line in (project / "chosen.jsonl").read_text().splitlines()]
    assert [row["prompt"] for row in rows] == ASKED
    assert all(row["points"][row["index"]] == max(row["points"]) for row in rows)


def test_a_file_that_cannot_be_written_is_told_before_anyone_is_asked(project: Path) -> None:
    """There is no policy that could answer."""
    refused = prefstream(
        *("best-of-n", project / "prompts.jsonl", "--project", project),
        *("--out", project / "missing" / "chosen.jsonl"),
    )
    assert isinstance(refused.exception, ConfigError), refused.exception
    assert "choose a folder that exists" in str(refused.exception)
