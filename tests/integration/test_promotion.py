"""From a trained run to the policy that serves and back, through the commands on a real broker."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from infra.publish import publish
from infra.settings import Settings
from schemas.errors import ConfigError, Fatal
from schemas.events import Completion, Event, Run
from schemas.records import PreferenceSource, RunStatus, Verdict
from tests.command_line import prefstream
from tests.events import completion
from tests.preferences import human, preference, said
from tests.tiny_policy import save_tiny_policy
from trainer.log_slice import read_latest, read_runs
from trainer.promotion.model_registry import models_dir
from trainer.promotion.version import read_version

pytestmark = pytest.mark.integration

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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute("CREATE TABLE sales AS SELECT i AS amount FROM range(1, 9) t(i)")
    databases = "verify: {databases: [{name: shop, path: shop.duckdb, dialect: duckdb}]}\n"
    (tmp_path / "pipeline.yaml").write_text(PIPELINE + databases, encoding="utf-8")
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
    (tmp_path / "held-out.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


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
    return [run for run in read_runs(settings) if run.run_id == run_id]


def test_promoted_listed_and_rolled_back(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    policy = save_tiny_policy(project / "sft")
    first = trained(project, policy, "one")
    promoted = prefstream("promote", first[:12], "--project", project, "--json")
    assert promoted.exit_code == 0, (promoted.stdout, promoted.stderr, promoted.exception)
    assert json.loads(promoted.stdout)["status"] == "PROMOTED"
    alias = models_dir(log) / "production"
    assert read_version(alias).run_id == first
    gates = {gate.name: gate for gate in told(log, first)[-1].gates}
    assert {"held_out", "accuracy", "verifier/sql_extract", "refusals", "kl"} <= gates.keys()
    assert gates["kl"].value is not None
    assert gates["kl"].value >= 0

    # the next one is compared with what serves, wherever it started
    second = trained(project, policy, "two", "--seed", "5")
    again = prefstream("promote", project / "two", "--project", project)
    assert again.exit_code == 0, (again.stdout, again.exception)
    cleared = [run for run in told(log, second) if run.status is RunStatus.CLEARED]
    assert cleared[0].policy == told(log, first)[-1].checkpoint

    listed = [json.loads(line) for line in prefstream("models", "--json").stdout.splitlines()]
    assert [(one["run"], one["serves"]) for one in listed] == [(first, False), (second, True)]
    assert prefstream("rollback").exit_code == 0
    assert read_version(alias).run_id == first
    assert told(log, second)[-1].status is RunStatus.ROLLED_BACK

    weights = alias.resolve() / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(b"other")
    damaged = prefstream("models")
    assert damaged.exit_code == 1
    assert "Promoted policies of shop" in " ".join(damaged.stdout.split())
    assert "damaged" in damaged.stdout


def test_one_workloads_alias_and_runs_are_no_others(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    policy = save_tiny_policy(project / "sft")
    serves = trained(project, policy, "one", "--promote")
    next_ = trained(project, policy, "two", "--seed", "5")
    pipeline = project / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text().replace("workload: shop", "workload: bank"))

    # compared by its own project's checks alone
    mine = prefstream("promote", next_, "--project", project)
    assert isinstance(mine.exception, ConfigError)
    assert "is of workload shop, and the project's is bank" in str(mine.exception)
    # said before hours of training
    others = prefstream(
        *("train", "--from-topic", "--promote", "--project", project),
        *("--policy", policy, "--out", project / "three"),
    )
    assert isinstance(others.exception, ConfigError)
    assert "set PREFSTREAM_MODELS_DIR to a folder of bank's own" in str(others.exception)
    assert read_version(models_dir(log) / "production").run_id == serves


def test_an_ungated_run_is_never_promoted(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    trained(project, save_tiny_policy(project / "sft"), "baseline", "--ungated")
    refused = prefstream("promote", project / "baseline", "--project", project)
    assert isinstance(refused.exception, ConfigError)
    assert "--ungated" in str(refused.exception)
    assert not models_dir(log).exists()


def test_a_worse_policy_is_withheld_with_its_numbers(log: Settings, project: Path) -> None:
    pipeline = project / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text().replace("max_length_ratio: 9", "max_kl: 1.0e-9"))
    publish(log, rows("a"))
    run_id = trained(project, save_tiny_policy(project / "sft"), "one")
    refused = prefstream("promote", run_id, "--project", project)
    assert refused.exit_code in (1, 2), refused.exception
    assert "WITHHELD" in refused.stdout
    last = told(log, run_id)[-1]
    assert last.status is RunStatus.WITHHELD
    assert "kl" in last.detail
    assert not (models_dir(log) / "production").exists()


def test_trained_and_promoted_in_one_command(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    policy = save_tiny_policy(project / "sft")
    run_id = trained(project, policy, "one", "--promote")
    statuses = [run.status for run in told(log, run_id)]
    assert statuses == [
        RunStatus.STARTED,
        RunStatus.TRAINED,
        RunStatus.CLEARED,
        RunStatus.PROMOTED,
    ]
    assert read_version(models_dir(log) / "production").run_id == run_id
    # what was not asked says so
    before, after = (
        {gate.name: gate.detail for gate in told(log, run_id)[n].gates} for n in (0, -1)
    )
    assert before["canary"] == "not run: canary.share is 0"
    assert after["shadow"].startswith("not run: 0 live prompts")


def test_without_held_out_prompts_a_training_says_that_no_canary_was_tried(
    log: Settings, project: Path
) -> None:
    publish(log, rows("a"))
    (project / "pipeline.yaml").write_text("workload: shop\ndpo: {epochs: 1, batch_size: 8}\n")
    told_of = told(log, trained(project, save_tiny_policy(project / "sft"), "one"))
    (said_of,) = (gate.detail for gate in told_of[-1].gates if gate.name == "canary")
    assert said_of.startswith("not run: no held-out prompts; name them by --prompts")


def test_what_could_not_be_promoted_is_said_before_training(log: Settings, project: Path) -> None:
    arguments = ("train", "--from-topic", "--project", project, "--policy", project, "--promote")
    for more, why in (
        (("--ungated",), "never promoted"),
        (("--algorithm", "reward"), "makes no policy"),
        (("--prompts", project / "none.jsonl"), "cannot be read"),
    ):
        refused = prefstream(*arguments, "--out", project / "new", *more)
        assert isinstance(refused.exception, ConfigError)
        assert why in str(refused.exception)
    assert not (project / "new").exists()


def test_a_canary_that_does_not_win_stops_the_training(log: Settings, project: Path) -> None:
    publish(log, rows("a"))
    pipeline, policy = project / "pipeline.yaml", save_tiny_policy(project / "sft")
    text = pipeline.read_text()
    arguments = ("train", "--from-topic", "--project", project, "--policy", policy)

    pipeline.write_text(text.replace("{share: 0}", "{min_rows: 8, min_gain: 0.5}"))
    refused = prefstream(*arguments, "--out", project / "one")
    assert refused.exit_code == 1, refused.exception
    assert "canary/accuracy" in refused.stdout
    assert not (project / "one").exists()
    assert [run.status for run in read_runs(log)] == [RunStatus.REFUSED]

    pipeline.write_text(text.replace("{share: 0}", "{min_rows: 8, min_gain: -0.5}"))
    told_of = told(log, trained(project, policy, "one"))
    gates = {gate.name: gate for gate in told_of[-1].gates}
    assert gates["canary/accuracy"].verdict is Verdict.PASS
    assert "over 60 prompts" in gates["canary/accuracy"].detail


def test_live_prompts_are_answered_in_the_shadow(log: Settings, project: Path) -> None:
    pipeline = project / "pipeline.yaml"
    shadow = "  shadow: {share: 1.0, min_prompts: 10, max_prompts: 20, max_drop: 0.3}\n"
    text = pipeline.read_text().replace("  kl_prompts: 4\n", f"  kl_prompts: 0\n{shadow}")
    pipeline.write_text(text)
    live = [
        completion(
            event_id=f"c{n}",
            prompt_id=f"live-{n}",
            messages=said(f"item{n}", "user"),
            workload_id="shop" if n < 15 else "elsewhere",
        )
        for n in range(30)
    ]
    publish(log, [*rows("a"), *live])
    policy = save_tiny_policy(project / "sft")
    run_id = trained(project, policy, "one", "--promote")
    gates = {gate.name: gate for gate in told(log, run_id)[-1].gates}
    assert gates["shadow/prompts"].value == 15
    assert "over 15 prompts" in gates["shadow/passed"].detail
    # nothing that was made for the comparison reaches a topic
    assert {c.event_id for c in read_latest(log, Completion, 1000)} == {c.event_id for c in live}


def long_prompt(name: str, expects: str) -> str:
    """A line of prompts: longer than the policy's context."""
    content = " ".join(["good"] * 100)
    turns = [{"role": "user", "content": content}]
    return f'{{"prompt_id": "{name}", "messages": {json.dumps(turns)}, "expectations": {expects}}}'


def test_a_prompt_beyond_the_context_is_counted_and_stops_nothing(
    log: Settings, project: Path
) -> None:
    """Held-out, live, evaluated around the training, and in a row."""
    pipeline, held_out = project / "pipeline.yaml", project / "held-out.jsonl"
    shadow = "  shadow: {share: 1.0, min_prompts: 10, max_drop: 0.3}\n"
    text = pipeline.read_text().replace("  kl_prompts: 4\n", f"  kl_prompts: 4\n{shadow}")
    pipeline.write_text(text)
    lines = held_out.read_text()
    gold = json.dumps(json.loads(lines.splitlines()[0])["expectations"])
    held_out.write_text(f"{long_prompt('long', gold)}\n{lines}")
    live = [
        completion(
            event_id=f"c{n}",
            prompt_id=f"live-{n}",
            messages=said(f"item{n}" if n else "good " * 100, "user"),
            workload_id="shop",
        )
        for n in range(30)
    ]
    row = preference(
        "long",
        source=PreferenceSource.VERIFIER,
        judge_config_hash="",
        prompt=said("very " * 100, "user"),
    )
    publish(log, [*rows("a"), row, *live])
    policy = save_tiny_policy(project / "sft")

    arguments = ("train", "--from-topic", "--project", project, "--policy", policy)
    evaluated = prefstream(*arguments, "--prompts", held_out, "--out", project / "one")
    assert evaluated.exit_code == 0, (evaluated.stdout, evaluated.exception)
    assert evaluated.stdout.count("; 1 without an answer") == 2
    numbers = read_runs(log)[-1].metrics_after
    assert (numbers["n"], numbers["unanswered"]) == (61, 1)

    run_id = trained(project, policy, "two", "--promote")
    *_, trained_run, cleared, promoted = told(log, run_id)
    assert promoted.status is RunStatus.PROMOTED
    counted = {name: trained_run.metrics_after[name] for name in ("rows", "truncated", "dropped")}
    # the blend leaves one out
    assert counted == {"rows": 23, "truncated": 0, "dropped": 1}
    gates = {gate.name: gate for gate in cleared.gates}
    for name, n in (("held_out", 60), ("shadow/prompts", 29)):
        assert gates[name].value == n
        assert "1 by neither, left out; the first: the prompt is 10" in gates[name].detail
    assert read_version(models_dir(log) / "production").training.items() >= counted.items()


def test_a_training_that_diverges_leaves_the_alias_where_it_was(
    log: Settings, project: Path
) -> None:
    publish(log, rows("a"))
    pipeline, policy = project / "pipeline.yaml", save_tiny_policy(project / "sft")
    first = trained(project, policy, "one", "--promote")
    diverging = pipeline.read_text().replace("learning_rate: 0.001", "learning_rate: 1.0e+30")
    pipeline.write_text(diverging.replace("epochs: 1", "epochs: 4"))
    arguments = ("train", "--from-topic", "--promote", "--project", project, "--policy", policy)
    failed = prefstream(*arguments, "--out", project / "two")
    assert isinstance(failed.exception, Fatal)
    assert read_runs(log)[-1].status is RunStatus.FAILED
    assert read_version(models_dir(log) / "production").run_id == first
