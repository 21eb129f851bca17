"""`prefstream rounds` and `tune` over a folder of topics: people wait, label, and it goes on."""

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.project import load_project
from cli.round_project import WAITING_FILE
from cli.round_state import STATE_FILE, RoundsState
from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from consumers.calibration.splits import Split, SplitShares, split_of
from consumers.clickhouse.rows import event_json
from consumers.topic_files import read_topics, write_topics
from examples.harbor.demo.incoming import labelled
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.workspace import Workspace, lay_out
from examples.harbor.evaluation_prompts import asked
from examples.harbor.questions import Question, questions
from examples.harbor.simulated_people import SimulatedLabellers, gate_reads, simulated_labels
from infra.settings import Settings
from schemas.events import Event, Judgment, Run
from schemas.records import Message, Verdict
from trainer.gate_rules import CalibrationRule
from trainer.local_topics import LocalTopics, stages_of
from trainer.prompts import EvaluationPrompt

pytestmark = pytest.mark.integration

SIZES = Sizes(prompts=6, users=1, anchors=16, core=10, benchmark=4, measuring_copies=1)
# so few anchors decide nothing; that they are counted is what other tests are for
GATE = "gate: {min_anchors: 2, min_kappa: -0.9, min_coverage: 0, uncalibrated_slices: keep}\n"
BLEND = "blend: {min_human_share: 0.01, max_human_share: 0.99}\n"


@pytest.fixture(scope="module")
def harbor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace, and beside it the topics as they are once people labelled planted anchors."""
    root = tmp_path_factory.mktemp("rounds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFSTREAM_DATA_DIR", str(root / "data"))
        workspace = lay_out(root / "harbor", SIZES.measuring_copies)
        _relax(workspace.project / "pipeline.yaml")
        _planted(workspace, root / "topics")
        _write(root / "prompts.jsonl", questions("train")[: SIZES.prompts])
        _write(root / "anchors.jsonl", gate_reads()[:40])
        shares = load_project(workspace.project).calibration.shares
        for name in ("prompts", "anchors"):
            _append_long(root / f"{name}.jsonl", shares)
        yield root


@pytest.fixture(scope="module")
def first_round(harbor: Path) -> Result:
    """A first call. It leaves pairs of a policy's answers in the topics, and here
    a copy of those, for nobody has labelled its few anchors yet."""
    result = _rounds(harbor)
    shutil.copytree(harbor / "topics", harbor / "unlabelled")
    return result


def test_rounds_wait_for_people_and_go_on_when_they_have_labelled(
    harbor: Path, first_round: Result
) -> None:
    out, topics = harbor / "rounds", harbor / "topics"
    assert first_round.exit_code == 2
    assert "round 1: 1 prompts gave no answer, 1 anchor prompts could not" in first_round.stdout
    first = RoundsState.model_validate_json((out / STATE_FILE).read_bytes())
    assert [one.waits for one in first.results] == [True]
    # half of six and one that is too long
    assert len(first.asked) == 4
    assert (out / "round-1" / "model.safetensors").exists()

    waiting = _lines(out / WAITING_FILE)
    judged = [one.comparison for one in read_topics(topics) if isinstance(one, Judgment)]
    asked_about = [one for one in judged if one.event_id in {line["event_id"] for line in waiting}]
    assert asked_about
    _append(topics / "labels.jsonl", simulated_labels(asked_about, datetime.now(UTC)))

    code = _rounds(harbor).exit_code
    then = RoundsState.model_validate_json((out / STATE_FILE).read_bytes())
    assert len(then.results) == 2
    # round 2 waits too, but where it wrote nothing that people have not seen, or where its few
    # anchors happen to be of one class, on which kappa is not defined
    last = then.results[1]
    assert code == (2 if last.waits else 0 if last.verdict is Verdict.PASS else 1)
    assert last.verdict is Verdict.PASS or "kappa" in last.refusal
    assert not then.results[0].waits
    assert then.results[0].policy == first.results[0].policy
    assert "<svg" in (out / "rounds.svg").read_text(encoding="utf-8")


@pytest.mark.usefixtures("first_round")
def test_every_trial_of_a_search_is_a_run_with_its_win_rate(harbor: Path) -> None:
    out, topics = harbor / "tuning", harbor / "unlabelled"
    result = CliRunner().invoke(
        app,
        [
            *("tune", "--project", str(harbor / "harbor" / "project"), "--json"),
            *("--policy", str(harbor / "harbor" / "checkpoints" / "policy")),
            *("--anchors", str(harbor / "anchors.jsonl"), "--topics", str(topics)),
            *("--beta", "0.1", "--beta", "0.5", "--out", str(out)),
        ],
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.strip().splitlines()[-1])
    assert [trial["beta"] for trial in found["trials"]] == [0.1, 0.5]
    assert {trial["wins"]["unanswered"] for trial in found["trials"]} == {1}
    told = [one for one in read_topics(topics) if isinstance(one, Run)]
    trials = [one for one in told if "anchor_win_rate" in one.metrics_after]
    assert [one.detail for one in trials] == ["tune: trial 1 of 2", "tune: trial 2 of 2"]
    assert {one.hyper_parameters["beta"] for one in trials} == {"0.1", "0.5"}
    assert all(one.trial for one in trials)


def _rounds(harbor: Path) -> Result:
    arguments = [
        *("rounds", "--n", "2", "--project", str(harbor / "harbor" / "project")),
        *("--policy", str(harbor / "harbor" / "checkpoints" / "policy")),
        *("--prompts", str(harbor / "prompts.jsonl"), "--anchors", str(harbor / "anchors.jsonl")),
        *("--topics", str(harbor / "topics"), "--out", str(harbor / "rounds")),
    ]
    return CliRunner().invoke(app, arguments)


def _planted(workspace: Workspace, topics: Path) -> None:
    settings, project = Settings(), load_project(workspace.project)
    with stages_of(settings, workspace.project) as (stages, runner):
        local = LocalTopics(settings, stages, runner)
        local.publish(labelled(SIZES))
        local.settle(lambda _: None)
        people = SimulatedLabellers(
            local,
            project.calibration,
            CalibrationRule(settings=project.gate),
            HoldoutLedger(ledger_path(settings)),
            waiting=lambda _: None,
        )
        people.calibrate(local.events(Judgment))
        write_topics(local.run.outputs, topics)


def _relax(pipeline: Path) -> None:
    text = pipeline.read_text(encoding="utf-8")
    before, _, after = text.partition("gate:\n")
    rest = after[after.index("\n\n") :]
    pipeline.write_text(f"{before}{GATE}{BLEND}{rest}", encoding="utf-8")


def _write(path: Path, some: Sequence[Question]) -> None:
    path.write_text("".join(f"{one.model_dump_json()}\n" for one in asked(some)), encoding="utf-8")


def _append_long(path: Path, shares: SplitShares) -> None:
    """One more prompt, which the policy's context has no room for."""
    prompt = EvaluationPrompt.model_validate_json(path.read_text(encoding="utf-8").splitlines()[0])
    turns = (*prompt.messages[:-1], Message(role="user", content="how many orders? " * 2000))
    names = (f"long {n}" for n in range(100))
    measures = next(name for name in names if split_of(name, shares) is Split.CALIBRATION)
    long = prompt.model_copy(update={"messages": turns, "prompt_id": measures})
    with path.open("a", encoding="utf-8") as lines:
        lines.write(f"{long.model_dump_json()}\n")


def _append(path: Path, events: Sequence[Event]) -> None:
    with path.open("a", encoding="utf-8") as lines:
        lines.writelines(f"{event_json(one)}\n" for one in events)


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
