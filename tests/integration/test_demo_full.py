"""The whole story, tiny: every policy, both rounds, the report; and taken up again."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo import harbor_rules
from examples.harbor.demo.display import Display
from examples.harbor.demo.local_backend import running_in_process
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.training import Rules
from examples.harbor.demo.workspace import Workspace, take_up
from examples.harbor.full.html import report
from examples.harbor.full.policies import TITLES, Name
from examples.harbor.full.result import FullResult
from examples.harbor.full.story import FullStory
from infra.settings import Settings
from schemas.errors import ConfigError

pytestmark = pytest.mark.integration

SIZES = Sizes(
    prompts=8, users=2, anchors=24, core=12, benchmark=6, measuring_copies=1, fresh_anchors=24
)


def test_the_whole_story_and_that_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    workspace = take_up(tmp_path / "full", SIZES.measuring_copies)
    result = _tell(workspace)

    assert {cell.name for cell in result.cells} == set(Name)
    # a round that so few anchors cannot clear says so
    assert all(cell.evaluation or cell.refusal for cell in result.cells if cell.name in TITLES)
    assert {Name.SFT, Name.RLAIF_1, Name.GRPO, Name.BEST_OF_4} <= set(result.policies)
    assert all(one.n == SIZES.benchmark for one in result.policies.values())
    assert [one.round for one in result.rounds] == [1, 2]
    assert result.accounting.closed
    assert result.bill.saving < result.bill.marginal_saving
    page = report(result)
    assert page.count("<svg") == 5
    assert all(TITLES[name] in page for name in result.policies)
    # one file: nothing is loaded from elsewhere
    assert "src=" not in page
    assert 'href="http' not in page

    trained = (workspace.policies / f"{Name.GRPO}-0" / "model.safetensors").stat().st_mtime_ns
    again = _tell(take_up(tmp_path / "full", SIZES.measuring_copies))
    assert again.cells == result.cells
    assert again.targets == result.targets
    kept = (workspace.policies / f"{Name.GRPO}-0" / "model.safetensors").stat().st_mtime_ns
    assert kept == trained

    # what it has kept is not told as another story's
    with pytest.raises(ConfigError, match="begun with other settings"):
        _tell(workspace, sizes=replace(SIZES, prompts=9))
    with pytest.raises(ConfigError, match="begun with other settings"):
        _tell(workspace, min_kappa=-0.8)


def _tell(workspace: Workspace, *, sizes: Sizes = SIZES, min_kappa: float = -0.9) -> FullResult:
    settings = Settings(data_dir=workspace.root / "stack")
    with running_in_process(settings, workspace.project) as backend:
        display = Display(Console(quiet=True))
        rules = _quick(harbor_rules(workspace.project), min_kappa)
        story = FullStory(backend, workspace, rules, sizes, [0], display)
        return story.tell(time.monotonic())


def _quick(rules: Rules, min_kappa: float) -> Rules:
    """A gate that so few anchors can pass, and one short step for each algorithm that samples."""
    short = {"answers": 2, "batch_size": 16, "answer_tokens": 24}
    algorithms = dict(rules.algorithms)
    for name in ("rloo", "grpo"):
        algorithms[name] = algorithms[name].model_copy(update=short)
    gate = rules.gate.model_copy(
        update={"min_anchors": 2, "min_kappa": min_kappa, "min_coverage": 0.0}
    )
    return Rules(
        pipeline=rules.pipeline,
        calibration=rules.calibration,
        gate=gate,
        blend=rules.blend.model_copy(update={"min_human_share": 0.01, "max_human_share": 0.99}),
        algorithms=algorithms,
    )
