"""The project's own judge by the hash that its verdicts carry, without opening a model."""

from pathlib import Path

import pytest

from cli.current_judge import CURRENT, current_judge, judge_config
from infra.settings import Settings
from schemas.errors import ConfigError
from streams.pipeline import build_judge, load_pipeline

RUBRIC = """\
id: shop
version: "1"
criteria:
  - {id: R1, text: It is %s., decided_by: judge}
instructions: Compare.
tie_policy: Equal is a tie.
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", model_url="http://127.0.0.1:9/v1")


def project(folder: Path, quality: str) -> Path:
    (folder / "rubrics" / "shop").mkdir(parents=True)
    (folder / "rubrics" / "shop" / "1.yaml").write_text(RUBRIC % quality)
    text = "judge: {model: openai:judge-7b, rubric: shop/1}\npair: {rubric_id: shop}\n"
    (folder / "pipeline.yaml").write_text(text)
    return folder


def current(folder: Path, settings: Settings) -> str | None:
    return judge_config(CURRENT, load_pipeline(folder), folder, settings)


def test_it_is_the_hash_of_the_stage_that_judges(tmp_path: Path, settings: Settings) -> None:
    one, other = project(tmp_path / "a", "short"), project(tmp_path / "b", "kind")
    assert current(one, settings) == build_judge(one, settings).judge_config_hash
    assert current(one, settings) != current(other, settings)


def test_a_project_without_a_judge_has_none_and_none_can_be_meant(
    tmp_path: Path, settings: Settings
) -> None:
    """Left alone, `current` took the rows of every judge that ever was."""
    (tmp_path / "pipeline.yaml").write_text("workload: shop\n")
    pipeline = load_pipeline(tmp_path)
    assert current_judge(pipeline, tmp_path, settings) is None
    with pytest.raises(ConfigError, match="has no judge, so --judge-config current names none"):
        judge_config(CURRENT, pipeline, tmp_path, settings)


@pytest.mark.parametrize("wanted", [None, "4f4083f5c201a2ca"])
def test_a_hash_is_taken_as_it_is(wanted: str | None, tmp_path: Path, settings: Settings) -> None:
    folder = project(tmp_path / "a", "short")
    assert judge_config(wanted, load_pipeline(folder), folder, settings) == wanted
