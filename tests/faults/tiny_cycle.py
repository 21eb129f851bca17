"""A cycle of freezing, training, saving and promoting without a broker, in a process of its own."""

import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch  # noqa: F401 - so that a fork server has it before it forks
import trl.trainer.dpo_trainer  # noqa: F401

from cli.project import load_project
from cli.scratch import scratch
from infra.durable import append_line
from infra.settings import Settings
from schemas.events import Preference, Run
from schemas.records import GateResult, PreferenceSource, RunStatus
from tests.frozen_rows import frozen_rows
from tests.preferences import human, preference, said
from tests.promotions import PASSED
from trainer.blend import BlendSettings
from trainer.dpo import DpoConfig, train
from trainer.gate_settings import GateSettings
from trainer.policy import TrainedPolicy, Watch
from trainer.promotion.canary import canary
from trainer.promotion.candidate import Candidate, candidate, next_step
from trainer.promotion.compare import Arena
from trainer.promotion.model_registry import ModelRegistry
from trainer.promotion.promote import promote, reference
from trainer.promotion.version import damages, read_version
from trainer.prompts import Prompt
from trainer.run import Surroundings, TrainingPlan, run_training

DPO = DpoConfig(epochs=2, batch_size=4, learning_rate=1e-3)
_STEPS = frozenset({"os.rename", "os.mkdir", "os.symlink", "os.chmod", "os.remove", "os.truncate"})


PIPELINE = """
verify: {text: [{kind: regex, name: no_shouting, pattern: '!!!', must: not_match, hard: true}]}
promotion: {asking: {max_tokens: 4}}
canary: {min_rows: 4, min_gain: -1}
"""
"""``pipeline.yaml`` of a cycle's folder."""
PROMPTS = [
    Prompt(prompt_id=f"p{n}", messages=said(f"what is thing{n}", "user"), slice="x")
    for n in range(4)
]


def rows() -> list[Preference]:
    """Verifier and human rows: no judge has to be calibrated for them."""
    made = []
    for n in range(12):
        texts = {
            "prompt": said(f"what is item{n}", "user"),
            "chosen": said(f"yes good item{n}"),
            "rejected": said(f"no bad item{n}"),
            "judge_config_hash": "",
        }
        source = PreferenceSource.VERIFIER
        made.append(
            human(f"r{n}", **texts) if n % 3 == 0 else preference(f"r{n}", source=source, **texts)
        )
    return made


def _dpo(rows: Sequence[Preference], policy: Path, out: Path, watch: Watch) -> TrainedPolicy:
    return train(rows, policy, DPO, out, watch)


class Cycle:
    """Everything of one machine: its policy, its log of run events, its models."""

    def __init__(self, folder: Path, policy: Path) -> None:
        self.folder, self.policy, self.log = folder, policy, folder / "runs.jsonl"
        self.registry = ModelRegistry(folder / "models", lambda: datetime.now(UTC))

    def told(self) -> list[Run]:
        """The events that reached the log."""
        if not self.log.exists():
            return []
        whole = self.log.read_bytes().rpartition(b"\n")[0]
        return [Run.model_validate_json(line) for line in whole.splitlines()]

    def tell(self, run: Run) -> None:
        append_line(self.log, run.model_dump_json())

    def run(self, out: str) -> None:
        """Freeze, train, say that the gates passed, promote."""
        around = Surroundings(
            train=_dpo,
            evaluate=None,
            publish=self.tell,
            clock=lambda: datetime.now(UTC),
            watch=lambda _: None,
            canary=lambda rows: self._canary(rows, out),
        )
        plan = TrainingPlan(
            workload_id="shop",
            policy_path=self.policy,
            out_dir=self.folder / out,
            algorithm="dpo",
            hyper_parameters={},
            gate=GateSettings(),
            blend=BlendSettings(),
        )
        dataset = frozen_rows(rows())
        outcome = run_training(dataset, self.folder / f"{out}.dataset", [], plan, around)
        self.promote(outcome.run.run_id)

    def _canary(self, rows: Sequence[Preference], out: str) -> tuple[GateResult, ...]:
        """A real one, which anything passes."""
        project = load_project(self.folder)
        arena = Arena(
            project_dir=self.folder,
            pipeline=project,
            infra=Settings(data_dir=self.folder / "data"),
            now=datetime.now(UTC),
        )
        with scratch(self.folder / out, "canary") as folder:
            asking = project.promotion.asking
            return canary(rows, self.policy, _dpo, PROMPTS, asking, project.canary, folder, arena)

    def promote(self, run_id: str) -> None:
        made = candidate(self.told(), run_id).trained
        gated = next_step(
            made,
            RunStatus.CLEARED,
            datetime.now(UTC),
            gates=PASSED,
            policy=str(reference(self.registry, made)),
        )
        self.tell(gated)
        self.tell(promote(Candidate(trained=made, gated=gated), self.registry))

    def serving(self) -> str:
        """The run whose policy serves, after proving that it is whole."""
        assert damages(self.registry.alias) == {}
        return read_version(self.registry.alias).run_id


def run_counted(folder: Path, policy: Path, out: str, kill_at: int | None) -> None:
    """Run a cycle and write down how many steps it took in its folder; die at that step.

    Elsewhere Python keeps compiled modules, in a first run alone.
    """
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        writes = event == "open" and any(letter in str(arguments[1]) for letter in "wxa+")
        if (writes or event in _STEPS) and str(arguments[0]).startswith(str(folder)):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    Cycle(folder, policy).run(out)
    steps = seen
    (folder / "steps").write_text(str(steps))
