"""A project whose tiny policy can be promoted, and the rows it is trained on."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from infra.settings import Settings
from schemas.events import Event, Run
from schemas.records import PreferenceSource
from tests.command_line import prefstream
from tests.preferences import human, preference, said
from trainer.log_slice import read_runs

PIPELINE = """
workload: shop
dpo: {epochs: 1, batch_size: 8, learning_rate: 0.001}
canary: {share: 0}
promotion:
  prompts: held-out.jsonl
  asking: {max_tokens: 8}
  kl_prompts: 4
  # what a policy of a few thousand random parameters says is as good as its reference's
  max_drop: 0.2
  max_repetition_rise: 0.5
  max_refusal_rise: 0.2
  min_length_ratio: 0.1
  max_length_ratio: 9
"""


def promotable(folder: Path) -> Path:
    """The project: its settings, its database, and sixty held-out prompts."""
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute("CREATE TABLE sales AS SELECT i AS amount FROM range(1, 9) t(i)")
    databases = "verify: {databases: [{name: shop, path: shop.duckdb, dialect: duckdb}]}\n"
    (folder / "pipeline.yaml").write_text(PIPELINE + databases, encoding="utf-8")
    gold = {"kind": "GOLDEN_SQL", "spec": "SELECT sum(amount) FROM sales"}
    prompts = (
        {
            "prompt_id": f"held-out-{n}",
            "messages": [{"role": "user", "content": f"what is item{n}"}],
            "expectations": [{**gold, "params": {"database": "shop"}}],
        }
        for n in range(60)
    )
    lines = "".join(f"{json.dumps(prompt)}\n" for prompt in prompts)
    (folder / "held-out.jsonl").write_text(lines, encoding="utf-8")
    return folder


def rows(prefix: str) -> Iterator[Event]:
    """Verifier and human rows: no judge has to be calibrated for them."""
    for n in range(24):
        texts = {
            "prompt": said(f"what is item{n} {prefix}", "user"),
            "chosen": said(f"yes good item{n}"),
            "rejected": said(f"no bad item{n}"),
        }
        made = human if n % 3 == 0 else preference
        source = PreferenceSource.HUMAN if n % 3 == 0 else PreferenceSource.VERIFIER
        yield made(f"{prefix}-{n}", source=source, judge_config_hash="", **texts)


def trained(project: Path, policy: Path, out: str, *more: str) -> str:
    """The id of a run that trained ``out``."""
    arguments = ("train", "--from-topic", "--project", project, "--policy", policy, "--json")
    done = prefstream(*arguments, "--out", project / out, *more)
    assert done.exit_code == 0, (done.stderr, done.exception)
    return str(json.loads(done.stdout)["run"]["run_id"])


def told(settings: Settings, run_id: str) -> list[Run]:
    """Every event of the run, in the order of the log."""
    return [run for run in read_runs(settings) if run.run_id == run_id]
