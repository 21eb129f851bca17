"""The main job end to end, small: Kafka, ClickHouse, every worker, both policies."""

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo import harbor_rules
from examples.harbor.demo.display import Display
from examples.harbor.demo.kafka_backend import running_on_kafka
from examples.harbor.demo.report import show
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.story import tell
from examples.harbor.demo.workspace import lay_out
from infra.settings import Settings
from schemas.records import Verdict
from tests.processes import processes_of

pytestmark = pytest.mark.integration

# Just enough labels for the gate to say PASS, and for a blend with people's rows.
SIZES = Sizes(prompts=24, users=2, anchors=140, core=30, benchmark=16, measuring_copies=1)


def test_the_main_job_on_kafka(tmp_path: Path) -> None:
    workspace = lay_out(tmp_path / "demo", SIZES.measuring_copies)
    settings = Settings(data_dir=workspace.root / "stack")
    shown = io.StringIO()
    console = Console(file=shown, width=200)
    with running_on_kafka(settings, workspace.project) as backend:
        story = tell(
            backend,
            workspace,
            harbor_rules(workspace.project),
            SIZES,
            Display(console),
            time.monotonic(),
        )
    assert not processes_of(settings.data_dir)

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
    assert all(answer.rows for _, answer in story.answers)
    show(story, console)
    assert "every event found" in shown.getvalue()
