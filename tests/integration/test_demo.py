"""The main job end to end, small: Kafka, ClickHouse, every worker, both policies."""

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo import harbor_rules, stage_backend
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.display import Display
from examples.harbor.demo.kafka_backend import running_on_kafka
from examples.harbor.demo.report import show
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.story import tell
from examples.harbor.demo.workspace import Workspace, lay_out
from infra.settings import Settings
from schemas.records import Verdict
from tests.processes import processes_of

pytestmark = pytest.mark.integration

# Just enough labels for the gate to say PASS, and for a blend with people's rows.
SIZES = Sizes(prompts=24, users=2, anchors=140, core=30, benchmark=16, measuring_copies=1)


def test_the_main_job_on_kafka(tmp_path: Path) -> None:
    workspace = lay_out(tmp_path / "demo", SIZES.measuring_copies)
    settings = Settings(data_dir=workspace.root / "stack")
    with running_on_kafka(settings, workspace.project) as backend:
        assert "every event found" in _run(backend, workspace)
    assert not processes_of(settings.data_dir)


def test_the_main_job_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    workspace = lay_out(tmp_path / "demo", SIZES.measuring_copies)
    said = io.StringIO()
    with stage_backend(workspace, Console(file=said, width=400), in_process=False) as backend:
        assert "install it" in said.getvalue()
        assert "every event found" in _run(backend, workspace)


def _run(backend: Backend, workspace: Workspace) -> str:
    """What the demo shows at its end; fails where its figures are not what they must be."""
    shown = io.StringIO()
    console = Console(file=shown, width=200)
    rules = harbor_rules(workspace.project)
    story = tell(backend, workspace, rules, SIZES, Display(console), time.monotonic())

    result = json.loads(story.result.model_dump_json(by_alias=True))
    assert result["accounting"]["closed"]
    stages = result["accounting"]["stages"]
    assert list(stages) == ["sample", "verify", "pair", "judge", "filter"]
    assert all(stage["pending"] == stage["missing_count"] == 0 for stage in stages.values())
    assert stages["sample"]["in"] == SIZES.prompts * SIZES.users
    assert set(result["policies"]) == {"sft", "thumbs", "rlaif"}
    assert all(policy["n"] == SIZES.benchmark for policy in result["policies"].values())
    assert result["kappa"] >= 0.78
    assert result["pairs"] > 0
    assert result["chosen_wrong"]["rlaif"] <= result["chosen_wrong"]["thumbs"]

    thumbs, rlaif = (story.runs[name].outcome.run for name in ("thumbs", "rlaif"))
    assert thumbs.ungated
    assert not rlaif.ungated
    assert {gate.verdict for gate in rlaif.gates} == {Verdict.PASS}
    verdicts = [trial.decision.verdict for trial in story.trials]
    assert verdicts == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS]
    assert all(answer.rows for _, answer in story.answers)
    show(story, console)
    return shown.getvalue()
