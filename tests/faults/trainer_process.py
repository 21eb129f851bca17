"""`prefstream trainer` as a process, and a project whose trainings last as long as is wanted."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb

from infra.publish import publish
from infra.settings import Settings
from schemas.events import Run
from schemas.records import PreferenceSource, RunStatus
from tests.preferences import human, preference, said
from tests.tiny_policy import save_tiny_policy

PIPELINE = """
workload: WORKLOAD
trigger: {min_new_pairs: 10, least_pairs: 1, settle_minutes: 0, min_interval_minutes: 0,
  retry_minutes: 0, keep_trainings: 1}
dpo: {epochs: EPOCHS, batch_size: 8, learning_rate: 1.0e-6}
canary: {share: 0}
verify: {databases: [{name: shop, path: shop.duckdb, dialect: duckdb}]}
promotion: {prompts: held-out.jsonl, asking: {max_tokens: 4}, kl_prompts: 2, max_drop: 0.3,
  max_repetition_rise: 0.9, max_refusal_rise: 0.3, min_length_ratio: 0.05, max_length_ratio: 20,
  max_kl: 50}
"""
ENDLESS, SHORT = 1_000_000, 1
MACHINE_S = 300.0


def configure(project: Path, epochs: int, workload: str = "shop") -> None:
    """How long the next training lasts; the one that runs has read its settings."""
    draft = project / "pipeline.yaml.new"
    text = PIPELINE.replace("EPOCHS", str(epochs)).replace("WORKLOAD", workload)
    draft.write_text(text, encoding="utf-8")
    draft.replace(project / "pipeline.yaml")


def laid_out(folder: Path) -> Path:
    """A project but for its settings, and a policy to start from."""
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute("CREATE TABLE sales AS SELECT i AS amount FROM range(1, 9) t(i)")
    prompt = {
        "messages": [{"role": "user", "content": "what is item1"}],
        "expectations": [
            {
                "kind": "GOLDEN_SQL",
                "spec": "SELECT sum(amount) FROM sales",
                "params": {"database": "shop"},
            }
        ],
    }
    lines = [json.dumps({"prompt_id": f"held-out-{n}", **prompt}) for n in range(50)]
    (folder / "held-out.jsonl").write_text("\n".join(lines), encoding="utf-8")
    save_tiny_policy(folder / "sft")
    return folder


def add_pairs(settings: Settings, batch: str, workload: str = "shop") -> None:
    """Verifier and human rows enough for a training."""
    for n in range(24):
        texts = {
            "prompt": said(f"what is item{n} {batch}", "user"),
            "chosen": said(f"yes good item{n}"),
            "rejected": said(f"no bad item{n}"),
            "judge_config_hash": "",
            "workload_id": workload,
        }
        name = f"{batch}-{n}"
        verified = preference(name, source=PreferenceSource.VERIFIER, **texts)
        publish(settings, [human(name, **texts) if n % 3 == 0 else verified])


class Trainer:
    """`prefstream trainer` as a process."""

    def __init__(self, settings: Settings, project: Path, name: str) -> None:
        command = [sys.executable, "-m", "cli.main", "trainer", "--policy", str(project / "sft")]
        self.log = project / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--project", str(project), "--every-s", "0.5"],
                env={**os.environ, **settings.environment(), "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=log,
                # The kernel continues what is stopped when its process group loses its last parent.
                start_new_session=True,
            )

    @property
    def sign(self) -> str:
        """How it names itself in the event that it leads."""
        return f":{self.process.pid} leads"

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def trainings(needle: str) -> set[str]:
    """The trainings and promotions of this test that run now, by their command lines: what one
    forks has the same."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "--lease-s" in command and any(needle in argument for argument in command):
            found.add(" ".join(command))
    return found


def of(runs: Sequence[Run], status: RunStatus) -> list[Run]:
    return [run for run in runs if run.status is status]
