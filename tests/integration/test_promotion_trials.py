"""What is tried before a promotion: a canary of the rows, live prompts in the shadow; and prompts
that are too long for either. Through the commands on a real broker.
"""

import json
from pathlib import Path

import pytest

from infra.publish import publish
from infra.settings import Settings
from schemas.events import Completion
from schemas.records import PreferenceSource, RunStatus, Verdict
from tests.command_line import prefstream
from tests.events import completion
from tests.preferences import preference, said
from tests.promotion_project import promotable, rows, told, trained
from tests.tiny_policy import save_tiny_policy
from trainer.log_slice import read_latest, read_runs
from trainer.promotion.model_registry import models_dir
from trainer.promotion.version import read_version

pytestmark = pytest.mark.integration


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return promotable(tmp_path)


def test_without_held_out_prompts_a_training_says_that_no_canary_was_tried(
    log: Settings, project: Path
) -> None:
    publish(log, rows("a"))
    (project / "pipeline.yaml").write_text("workload: shop\ndpo: {epochs: 1, batch_size: 8}\n")
    told_of = told(log, trained(project, save_tiny_policy(project / "sft"), "one"))
    (said_of,) = (gate.detail for gate in told_of[-1].gates if gate.name == "canary")
    assert said_of.startswith("not run: no held-out prompts; name them by --prompts")


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
