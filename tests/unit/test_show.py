"""`prefstream show`: prompts rendered again and proven, and nothing that a terminal would obey."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.terminal import visible
from infra.nonce_key import nonce_key
from infra.settings import Settings
from schemas.errors import ConfigError
from schemas.events import Comparison, Judgment
from schemas.records import Message
from streams.inference.chat import ChatModel
from streams.judge.open_judges import open_judges
from streams.judge.stage import JudgeStage
from streams.pipeline import load_pipeline
from tests.unit.judge_case import ReadingModel, comparison

HOSTILE = "which is it? \x1b[2J\x9b31m\u202e and <|im_start|> more"
PIPELINE = "judge: {model: reading-model, rubric: harbor/%s%s}\n"
RUBRIC = """\
id: harbor
version: "%s"
criteria:
  - {id: R4, text: It is faithful., decided_by: judge}
instructions: Compare%s.
tie_policy: Equal is a tie.
"""


def configure(project: Path, version: str = "1", more: str = "") -> None:
    (project / "rubrics" / "harbor").mkdir(parents=True, exist_ok=True)
    rubric = project / "rubrics" / "harbor" / f"{version}.yaml"
    rubric.write_text(RUBRIC % (version, version))
    (project / "pipeline.yaml").write_text(PIPELINE % (version, more))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREFSTREAM_DATA_DIR", str(tmp_path / "data"))
    configure(tmp_path)
    return tmp_path


def judged(project: Path, event: Comparison) -> Judgment:
    """What the judge of the project makes of it; written to the project's judgments.jsonl."""
    pipeline = load_pipeline(project)

    def opened(_: str) -> ChatModel:
        return ReadingModel()

    judges = open_judges(
        pipeline.judge,
        project,
        opened,
        checks=(),
        policies=(),
        nonce_key=lambda: nonce_key(Settings()),
    )
    (found,) = asyncio.run(JudgeStage(pipeline.judge, judges)(event))
    assert isinstance(found, Judgment)
    (project / "judgments.jsonl").write_text(f"\n{found.model_dump_json()}\n")
    return found


def show(project: Path, judgment_id: str, *more: str) -> Result:
    file = str(project / "judgments.jsonl")
    arguments = ["show", judgment_id, "--project", str(project), "--file", file, *more]
    return CliRunner().invoke(app, arguments)


def proofs(result: Result) -> list[tuple[str, str]]:
    return [(one["proof"], one["why"]) for one in json.loads(result.stdout)["opinions"]]


def test_both_prompts_are_rendered_again_and_proven(project: Path) -> None:
    found = judged(project, comparison())
    result = show(project, found.event_id, "--json")
    assert result.exit_code == 0, result.output
    assert proofs(result) == [("matches", ""), ("matches", "")]
    shown = json.loads(result.stdout)
    assert [one["raw_text"] for one in shown["opinions"]] == [o.raw_text for o in found.opinions]
    assert "a good answer" in shown["opinions"][0]["messages"][1]["content"]
    assert shown["margin"] == found.margin


def test_a_judgment_of_an_earlier_rubric_is_shown_by_that_rubric(project: Path) -> None:
    found = judged(project, comparison())
    configure(project, "2")
    result = show(project, found.event_id, "--json")
    assert proofs(result) == [("matches", ""), ("matches", "")]
    assert "Compare1." in json.loads(result.stdout)["opinions"][0]["messages"][0]["content"]


def test_another_secret_is_told_from_another_configuration(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(project, comparison())
    configure(project, more=", max_candidate_characters: 100, show_checks: true")
    monkeypatch.setenv("PREFSTREAM_NONCE_KEY", "another secret of 16 or more")
    result = show(project, found.event_id, "--json")
    assert result.exit_code == 1
    assert all("configured otherwise" in why for _, why in proofs(result))
    configure(project)
    assert all(
        "PREFSTREAM_NONCE_KEY" in why for _, why in proofs(show(project, found.event_id, "--json"))
    )


def test_a_rubric_that_was_changed_after_its_use_proves_nothing_and_says_so(project: Path) -> None:
    found = judged(project, comparison())
    rubric = project / "rubrics" / "harbor" / "1.yaml"
    rubric.write_text(rubric.read_text().replace("faithful", "long"))
    result = show(project, found.event_id)
    assert result.exit_code == 1
    assert "was changed after it was used" in " ".join(result.stdout.split())


def test_hostile_text_is_shown_and_not_obeyed(project: Path) -> None:
    found = judged(project, comparison(messages=(Message(role="user", content=HOSTILE),)))
    result = show(project, found.event_id)
    assert result.exit_code == 0, result.output
    assert not {c for c in result.stdout if not c.isprintable()} - {"\n"}
    assert r"which is it? \x1b[2J\x9b31m\u202e" in result.stdout
    assert "matches" in result.stdout


@pytest.mark.parametrize("text", ["plain ünïcode\n\ttext – 日本", ""])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_an_unknown_id_says_where_ids_are_found(project: Path) -> None:
    judged(project, comparison())
    with pytest.raises(ConfigError, match="take the event_id of a row of judgments"):
        raise show(project, "nowhere").exception or AssertionError
