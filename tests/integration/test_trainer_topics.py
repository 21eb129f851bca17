"""Calibrate, gate and train on a real broker, through the commands."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from confluent_kafka import TopicPartition
from typer.testing import CliRunner, Result

from cli.audit import audit
from cli.calibrate import calibrate
from cli.calibrate_report import report
from cli.dataset import dataset
from cli.export import export
from cli.gate import gate
from cli.judge_watch import notice
from cli.project import load_project
from cli.train import train
from consumers.calibration.content import comparison_sha256
from consumers.calibration.holdout_ledger import ledger_path
from consumers.calibration.splits import Split, SplitShares, split_of
from infra.kafka import admin, topic_name
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import LogChanged, read, snapshot
from schemas.errors import ConfigError
from schemas.events import Calibration, Comparison, Event, Judgment, Label, Preference, Run
from schemas.records import (
    Expectation,
    ExpectationKind,
    HumanWinner,
    Opinion,
    Order,
    PreferenceSource,
    Purpose,
    RunStatus,
    Winner,
)
from tests.events import NOON, candidate, candidate_set, comparison, judgment, verified
from tests.preferences import label, preference, said
from tests.tiny_policy import save_tiny_policy
from trainer.manifest import read_manifest

pytestmark = pytest.mark.integration

SHARES = SplitShares(calibration=0.5, holdout=0.2, core=0.3)
PIPELINE = """
workload: shop
calibration: {shares: {calibration: 0.5, holdout: 0.2, core: 0.3}}
gate: {min_anchors: 30, min_kappa: 0.5, max_age_days: 100000}
dpo: {epochs: 1, batch_size: 8, learning_rate: 0.005}
"""
N_ANCHORS = 120

SAME = said("s is good.")

app = typer.Typer()
for command in (audit, calibrate, dataset, export, gate, report, train):
    app.command(command.__name__)(command)


@pytest.fixture
def log(fresh_broker: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The broker, named in the environment as a user names it."""
    for name, value in fresh_broker.environment().items():
        monkeypatch.setenv(name, value)
    return fresh_broker


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    return tmp_path


def prefstream(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def anchor(number: int) -> Comparison:
    good, bad = f"yes good item{number}", f"no bad item{number}"
    texts = (good, bad) if number % 2 else (bad, good)
    prompt_id = f"anchor-{number}"
    return comparison(
        verified(f"{prompt_id}-a", output=texts[0]),
        verified(f"{prompt_id}-b", output=texts[1]),
        event_id=f"comparison of {prompt_id}",
        prompt_id=prompt_id,
        messages=said(f"what is item{number}", "user"),
        purpose=Purpose.ANCHOR,
    )


def labels_of(one: Comparison, winner: HumanWinner) -> list[Label]:
    return [
        label(
            annotator,
            winner,
            event_id=f"{annotator} on {one.event_id}",
            comparison_id=one.event_id,
            prompt_id=one.prompt_id,
            content_sha256=comparison_sha256(one),
        )
        for annotator in ("ann", "bob")
    ]


def judged(one: Comparison, winner: Winner) -> Judgment:
    return judgment(
        one, event_id=f"judgment of {one.event_id}", prompt_id=one.prompt_id, winner=winner
    )


def anchors_with(mistakes_of_10: int) -> list[Event]:
    """Anchors that people find clear and on which the judge errs this often."""
    events: list[Event] = []
    for number in range(N_ANCHORS):
        one, odd = anchor(number), number % 2 == 1
        right, wrong = (Winner.A, Winner.B) if odd else (Winner.B, Winner.A)
        verdict = wrong if number // 2 % 10 < mistakes_of_10 else right
        human = HumanWinner.A if odd else HumanWinner.B
        events += [one, judged(one, verdict), *labels_of(one, human)]
    return events


def answered_by(fingerprint: str) -> tuple[Opinion, ...]:
    return tuple(
        Opinion(
            judge="judge-7b",
            prompt_version="1",
            prompt_sha256="s",
            order=order,
            answer=Winner.A,
            fingerprint=fingerprint,
        )
        for order in Order
    )


def rlaif_rows() -> list[Event]:
    return [
        preference(
            f"row-{number}",
            prompt=said(f"what is the best answer to item{number % 40}", "user"),
            chosen=said(f"yes very good item{number % 40}"),
            rejected=said(f"no very bad item{number // 2}"),
        )
        for number in range(40)
    ]


def runs(settings: Settings) -> list[Run]:
    logged = read(settings, snapshot(settings, "runs"))
    return [one.event for one in logged if isinstance(one.event, Run)]


def test_from_labels_to_a_policy(log: Settings, project: Path) -> None:
    publish(log, [*anchors_with(mistakes_of_10=0), *rlaif_rows()])
    policy = save_tiny_policy(project / "old")
    arguments = ("train", "--from-topic", "--project", project, "--policy", policy)

    # nobody has measured the judge yet
    assert prefstream("gate", "--project", project).exit_code == 2
    refused = prefstream(*arguments, "--out", project / "new", "--json")
    assert refused.exit_code == 2, refused.stderr
    assert not (project / "new").exists()

    calibrated = prefstream("calibrate", "--project", project, "--json")
    measured = [json.loads(line) for line in calibrated.stdout.splitlines()]
    whole = {one["split"]: one for one in measured if one["slice"] == ""}
    splits = [split_of(f"anchor-{number}", SHARES) for number in range(N_ANCHORS)]
    assert whole["calibration"]["n"] == splits.count(Split.CALIBRATION)
    assert whole["calibration"]["kappa"] == 1.0
    assert prefstream("gate", "--project", project).exit_code == 0

    trained = prefstream(*arguments, "--out", project / "new", "--json")
    assert trained.exit_code == 0, (trained.stderr, trained.exception)
    outcome = json.loads(trained.stdout)
    assert outcome["run"]["status"] == "TRAINED"
    human_rows = outcome["rows"] - 40 + outcome["down_sampled"].get("RLAIF", 0)
    assert 0.2 <= human_rows / outcome["rows"] <= 0.4
    assert (project / "new" / "model.safetensors").exists()

    verified_again = prefstream("dataset", "verify", project / "new.dataset")
    assert verified_again.exit_code == 0, verified_again.stderr
    manifest = json.loads(verified_again.stdout)
    assert manifest["counts"]["HUMAN"] == splits.count(Split.CORE)
    assert manifest["judge_config_hash"] == "jc"

    statuses = [run.status for run in runs(log)]
    assert statuses == [RunStatus.REFUSED, RunStatus.STARTED, RunStatus.TRAINED]
    assert runs(log)[-1].offset_ranges


def test_a_teacher_exchanged_after_the_calibration_stops_the_gate(
    log: Settings, project: Path
) -> None:
    old, new = answered_by("fp_1"), answered_by("fp_2")
    anchors = [
        one.model_copy(update={"opinions": old}) if isinstance(one, Judgment) else one
        for one in anchors_with(mistakes_of_10=0)
    ]
    live = comparison(verified("x"), verified("y"), event_id="live")
    publish(log, [*anchors, *rlaif_rows(), judgment(live, event_id="before", opinions=old)])
    assert prefstream("calibrate", "--project", project).exit_code == 0
    assert prefstream("gate", "--project", project).exit_code == 0

    publish(log, [judgment(live, event_id="after", opinions=new)])
    decision = prefstream("gate", "--project", project, "--json")
    assert decision.exit_code == 1
    gates = {one["name"]: one for one in json.loads(decision.stdout)["gates"]}
    assert gates["teacher_fingerprint"]["verdict"] == "FAIL"
    assert "labelled by judge-7b (fp_2)" in gates["teacher_fingerprint"]["detail"]


def test_a_bad_judge_is_refused(log: Settings, project: Path) -> None:
    publish(log, [*anchors_with(mistakes_of_10=5), *rlaif_rows()])
    assert prefstream("calibrate", "--project", project).exit_code == 0
    decision = prefstream("gate", "--project", project, "--json")
    assert decision.exit_code == 1
    kappa = next(g for g in json.loads(decision.stdout)["gates"] if g["name"] == "kappa")
    assert kappa["value"] < kappa["threshold"]
    policy = save_tiny_policy(project / "old")
    arguments = ("train", "--from-topic", "--project", project, "--policy", policy)
    refused = prefstream(*arguments, "--out", project / "new")
    assert refused.exit_code == 1
    assert "kappa" in refused.stdout
    assert not (project / "new").exists()
    assert [run.status for run in runs(log)] == [RunStatus.REFUSED]


def test_calibrating_twice_publishes_the_same_ids(log: Settings, project: Path) -> None:
    publish(log, anchors_with(mistakes_of_10=1))
    for _ in range(2):
        assert prefstream("calibrate", "--project", project).exit_code == 0
    for topic in ("calibrations", "preferences"):
        ids = [one.event.event_id for one in read(log, snapshot(log, topic)) if one.event]
        assert len(ids) == 2 * len(set(ids))


def holdouts(settings: Settings) -> list[tuple[str, int]]:
    logged = read(settings, snapshot(settings, "calibrations"))
    return [
        (one.event.event_id, one.event.n)
        for one in logged
        if isinstance(one.event, Calibration) and one.event.split == "holdout"
    ]


def test_the_holdout_is_read_once_and_a_tampered_ledger_stops_the_gate(
    log: Settings, project: Path
) -> None:
    pipeline = project / "pipeline.yaml"
    pipeline.write_text(PIPELINE.replace("core: 0.3}}", "core: 0.3}, min_holdout: 10}"))
    events = anchors_with(mistakes_of_10=0)
    later = {one.event_id for one in events if isinstance(one, Judgment)}
    later = {id_ for n, id_ in enumerate(sorted(later)) if n % 4 == 0}
    publish(log, [*rlaif_rows(), *(one for one in events if one.event_id not in later)])
    assert prefstream("calibrate", "--project", project, "--dry-run").exit_code == 0
    assert not holdouts(log)
    assert prefstream("calibrate", "--project", project).exit_code == 0
    first = set(holdouts(log))
    assert max(n for _, n in first) >= 10

    publish(log, [one for one in events if one.event_id in later])
    again = prefstream("calibrate", "--project", project)
    assert "that stands" in again.stdout
    assert len(holdouts(log)) == 2 * len(first)
    assert set(holdouts(log)) == first
    decision = json.loads(prefstream("gate", "--project", project, "--json").stdout)
    assert next(g for g in decision["gates"] if g["name"] == "holdout_veto")["verdict"] == "PASS"
    assert "look 2" in next(g for g in decision["gates"] if g["name"] == "kappa")["detail"]

    path = ledger_path(log)
    path.write_text(path.read_text().replace('"look":1', '"look":2', 1))
    for command in ("gate", "calibrate"):
        refused = prefstream(command, "--project", project)
        assert refused.exit_code != 0
        said = refused.stderr or str(refused.exception)
        assert "tampered with or damaged: line 2 was changed" in said
    assert prefstream("gate", "--project", project).exit_code == 3


def test_the_gate_says_3_where_it_cannot_decide(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFSTREAM_DATA_DIR", str(project / "nothing"))
    decision = prefstream("gate", "--project", project)
    assert decision.exit_code == 3
    assert "no Kafka to talk to" in decision.stderr


def test_a_dataset_with_thumbs_is_named_for_what_it_is(log: Settings, project: Path) -> None:
    thumbs = preference("t", source=PreferenceSource.THUMBS, judge_config_hash="")
    publish(log, [thumbs, *rlaif_rows()])
    frozen = prefstream(
        "dataset", "freeze", project / "thumbs", "--source", "thumbs", "--project", project
    )
    assert json.loads(frozen.stdout)["counts"] == {"THUMBS": 1}
    decision = prefstream("gate", "--project", project, "--manifest", project / "thumbs")
    assert decision.exit_code == 1
    assert "--ungated" in " ".join(decision.stdout.split())


def test_probes_that_disagree_and_a_policy_never_seen_stop_the_gate(
    log: Settings, project: Path
) -> None:
    publish(log, anchors_with(mistakes_of_10=0))
    assert prefstream("calibrate", "--project", project).exit_code == 0
    decide = ("gate", "--project", project, "--judge-config", "jc", "--json")
    assert prefstream(*decide).exit_code == 0

    for minute in range(1, 21):
        one = anchor(minute).model_copy(
            update={"event_id": f"probe {minute}", "purpose": Purpose.PROBE}
        )
        wrong = judged(one, Winner.B if minute % 2 else Winner.A)
        later = NOON + timedelta(minutes=minute)
        publish(log, [wrong.model_copy(update={"occurred_at": later})])
    drifted = prefstream(*decide)
    assert drifted.exit_code == 1, drifted.output
    gates = {one["name"]: one for one in json.loads(drifted.stdout)["gates"]}
    assert gates["drift"]["verdict"] == "FAIL"
    said = notice(log, load_project(project))
    assert said is not None
    assert "Judge jc is demoted: drift" in said

    promoted = run(RunStatus.PROMOTED, checkpoint="/models/versions/v2", fingerprint="f00")
    publish(log, [promoted])
    gates = {one["name"]: one for one in json.loads(prefstream(*decide).stdout)["gates"]}
    assert gates["policy_anchors"]["verdict"] == "INCONCLUSIVE"
    assert "--checkpoint f00" in gates["policy_anchors"]["detail"]


def run(status: RunStatus, **changes: str) -> Run:
    return Run(
        event_id=f"run {status}",
        occurred_at=NOON,
        workload_id="shop",
        config_hash="c",
        run_id="run",
        status=status,
        manifest_hash="m",
        algorithm="dpo",
        **changes,
    )


def test_a_lead_gets_a_page_and_a_script_the_audit(log: Settings, project: Path) -> None:
    publish(log, [*anchors_with(mistakes_of_10=0), *rlaif_rows()])
    assert prefstream("calibrate", "--project", project).exit_code == 0
    out = project / "judges.html"
    shown = prefstream("report", out, "--project", project)
    assert shown.exit_code == 0, shown.output
    page = out.read_text(encoding="utf-8")
    assert "may label" in page
    assert "look 1 at the calibration split" in page
    assert "was not read for this judge" in page
    found = json.loads(prefstream("audit", "--project", project, "--json").stdout)
    assert found["error"] is None
    assert found["auditors"]["pairs"] == N_ANCHORS


def test_the_audited_error_reaches_the_loss(log: Settings, project: Path) -> None:
    """Before any audit it is one minus the calibration's accuracy, and the run says so."""
    publish(log, [*anchors_with(mistakes_of_10=1), *rlaif_rows()])
    assert prefstream("calibrate", "--project", project).exit_code == 0
    file = project / "pipeline.yaml"
    robust = "dpo: {loss_type: robust, label_flip_rate: audited, "
    file.write_text(PIPELINE.replace("dpo: {", robust), encoding="utf-8")
    trained = prefstream(
        "train",
        "--from-topic",
        "--ungated",
        "--project",
        project,
        "--policy",
        save_tiny_policy(project / "start"),
        "--out",
        project / "trained",
        "--json",
    )
    assert trained.exit_code == 0, trained.output
    outcome = json.loads(trained.stdout)
    said = outcome["run"]["hyper_parameters"]["label_flip_rate"]
    assert "no audit yet" in said
    used = float(outcome["trained"]["hyper_parameters"]["label_flip_rate"])
    # human rows are not flipped
    assert 0 < used < float(said.split()[0]) == pytest.approx(0.1, abs=0.06)


def test_the_anchors_are_dated(log: Settings, project: Path) -> None:
    """A calibration is as old as its newest anchor, so that it goes stale by itself."""
    publish(log, anchors_with(mistakes_of_10=0))
    lines = prefstream("calibrate", "--project", project, "--dry-run", "--json").stdout
    assert {json.loads(line)["occurred_at"] for line in lines.splitlines()} == {
        NOON.isoformat().replace("+00:00", "Z")
    }


def test_the_algorithm_is_chosen_by_name(log: Settings, project: Path) -> None:
    """A reward model from the topic, and then a policy that it rewards."""
    (project / "pipeline.yaml").write_text(
        PIPELINE
        + "reward: {epochs: 1, batch_size: 8}\n"
        + "grpo: {batch_size: 16, answers: 4, answer_tokens: 8, reward_model: scorer}\n",
        encoding="utf-8",
    )
    publish(log, rlaif_rows())
    policy = save_tiny_policy(project / "old")
    arguments = ("train", "--from-topic", "--ungated", "--project", project, "--policy", policy)

    scorer = prefstream(*arguments, "--algorithm", "reward", "--out", project / "scorer", "--json")
    assert scorer.exit_code == 0, (scorer.stderr, scorer.exception)
    assert json.loads(scorer.stdout)["trained"]["kind"] == "reward_model"
    rewarded = prefstream(*arguments, "--algorithm", "grpo", "--out", project / "new", "--seed", 7)
    assert rewarded.exit_code == 0, (rewarded.stderr, rewarded.exception)
    assert "policy in" in rewarded.stdout

    told = [run for run in runs(log) if run.status is RunStatus.TRAINED]
    assert [run.algorithm for run in told] == ["reward", "grpo"]
    assert told[0].hyper_parameters["use_margin"] == "True"
    assert told[1].hyper_parameters["answers"] == "4"
    assert told[1].hyper_parameters["seed"] == "7"
    assert told[1].metrics_after["last_kl"] >= 0


def test_the_projects_verifiers_reward_an_online_algorithm(log: Settings, project: Path) -> None:
    """What an answer is checked against comes from the samples of its prompt."""
    grpo = "{batch_size: 32, answers: 8, answer_tokens: 8, learning_rate: 0.01, epochs: 2, "
    (project / "pipeline.yaml").write_text(
        PIPELINE + f"grpo: {grpo}check_weight: 2, length_penalty: 0.1, free_tokens: 1}}\n",
        encoding="utf-8",
    )
    # A number from 3 to 7 is right: often enough by chance that there is something to learn from.
    near_five = Expectation(kind=ExpectationKind.NUMERIC, spec="5", params={"absolute": "2"})
    rows = [row for row in rlaif_rows() if isinstance(row, Preference)]
    samples = [
        candidate_set(
            candidate(f"{row.event_id}-a"),
            event_id=f"sample of {row.event_id}",
            prompt_id=row.prompt_id,
            messages=row.prompt,
            expectations=(near_five,),
        )
        for row in rows
    ]
    publish(log, [*rows, *samples])
    policy = save_tiny_policy(project / "old", more_words=[str(number) for number in range(10)])
    arguments = ("train", "--from-topic", "--ungated", "--project", project, "--policy", policy)
    trained = prefstream(*arguments, "--algorithm", "grpo", "--out", project / "new", "--json")
    assert trained.exit_code == 0, (trained.stderr, trained.exception)
    metrics = json.loads(trained.stdout)["trained"]["metrics"]
    assert metrics["first_unknown/checks"] == 0
    assert metrics["last_reward/checks"] > metrics["first_reward/checks"]
    expected = 2 * metrics["last_reward/checks"] + 0.1 * metrics["last_reward/length"]
    assert metrics["last_reward"] == pytest.approx(expected, abs=1e-3)
    assert metrics["last_kl"] > 0


def test_a_killed_training_goes_on_by_its_manifest(log: Settings, project: Path) -> None:
    """And not by the topic, which may hold more by now."""
    publish(log, rlaif_rows())
    policy = save_tiny_policy(project / "old")
    common = ("--project", project, "--policy", policy, "--ungated", "--out", project / "new")
    with pytest.MonkeyPatch.context() as patch:
        # the last thing before the trained policy gets its name
        patch.setattr("trainer.trl_training.save", interrupted)
        ended = prefstream("train", "--from-topic", *common)
    assert isinstance(ended.exception, KeyboardInterrupt) or ended.exit_code == 130
    assert not (project / "new").exists()
    publish(log, [preference("later")])
    refused = prefstream("train", "--from-topic", *common)
    assert "train on that one with --manifest" in str(refused.exception)
    resumed = prefstream("train", "--manifest", project / "new.dataset", *common, "--json")
    assert resumed.exit_code == 0, (resumed.stderr, resumed.exception)
    assert json.loads(resumed.stdout)["trained"]["resumed_from"] > 0
    assert [run.status for run in runs(log)][-1] is RunStatus.TRAINED


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_topic_that_retention_cut_is_named_and_its_rows_still_train(
    log: Settings, project: Path
) -> None:
    publish(log, rlaif_rows())
    frozen = prefstream("dataset", "freeze", project / "data", "--project", project)
    assert frozen.exit_code == 0, frozen.exception
    first = snapshot(log, "preferences")[0]
    name = topic_name(log, "preferences")
    before = TopicPartition(name, first.partition, first.first + 1)
    client = admin(log)  # ends with the last reference to it, and its calls with it
    for future in client.delete_records([before]).values():
        future.result()
    refused = prefstream("dataset", "verify", project / "data")
    assert isinstance(refused.exception, LogChanged)
    assert "its retention deleted some" in str(refused.exception)
    policy = save_tiny_policy(project / "old")
    trained = prefstream(
        *("train", "--manifest", project / "data", "--ungated", "--project", project),
        *("--policy", policy, "--out", project / "new"),
    )
    assert trained.exit_code == 0, (trained.stderr, trained.exception)


def test_an_empty_topic_and_one_of_other_sources_are_refused_by_count(
    log: Settings, project: Path
) -> None:
    arguments = ("train", "--from-topic", "--project", project, "--policy", project, "--out")
    empty = prefstream(*arguments, project / "new")
    assert "none of 0 preferences is left (the topic is empty)" in str(empty.exception)
    for topic in ("preferences", "labels"):
        data = project / "nothing" / topic
        frozen = prefstream("dataset", "freeze", data, "--topic", topic, "--project", project)
        assert isinstance(frozen.exception, ConfigError)
        assert f"none of 0 {topic} is left (the topic is empty)" in str(frozen.exception)
    assert not (project / "nothing").exists()
    publish(log, [preference("t", source=PreferenceSource.THUMBS), preference("s", rejected=SAME)])
    others = prefstream(*arguments, project / "new")
    assert "none of 2 preferences" in str(others.exception)
    assert "1 other_source, 1 same_text" in str(others.exception)
    assert not (project / "new").exists()


def test_what_decides_on_a_promotion_is_never_trained_on(log: Settings, project: Path) -> None:
    """Nor is what asks the same in other letters."""
    rows = [preference(f"row-{n}", prompt_id=f"p{n}", chosen=said(f"yes {n}")) for n in range(4)]
    publish(log, [*rows, preference("near", prompt=said("What IS item1?", "user"))])
    locked = {
        "prompt_id": "p1",
        "messages": [{"role": "user", "content": "what is item1"}],
        "expectations": [{"kind": "NUMERIC", "spec": "1"}],
    }
    (project / "held-out.jsonl").write_text(json.dumps(locked), encoding="utf-8")
    loose = prefstream("dataset", "freeze", project / "loose", "--project", project)
    assert loose.exit_code == 0, loose.exception
    with (project / "pipeline.yaml").open("a", encoding="utf-8") as pipeline:
        pipeline.write("promotion: {prompts: held-out.jsonl}\n")
    frozen = prefstream("dataset", "freeze", project / "data", "--project", project)
    assert frozen.exit_code == 0, frozen.exception
    manifest = read_manifest(project / "data")
    assert (manifest.rows, manifest.removed) == (3, {"excluded_prompt": 2})

    # what an exporter hands on is the same
    out = project / "pairs.jsonl"
    written = prefstream("export", out, "--dataset", project / "data", "--json")
    assert json.loads(written.stdout)["pairs"] == 3, written.exception
    ids = {json.loads(line)["prompt_id"] for line in out.read_text().splitlines()}
    assert ids == {"p0", "p2", "p3"}

    # said before hours of training
    late = prefstream(
        *("train", "--manifest", project / "loose", "--promote", "--project", project),
        *("--policy", project / "none", "--out", project / "new"),
    )
    assert isinstance(late.exception, ConfigError)
    assert "1 held-out prompts are in the dataset" in str(late.exception)


def test_an_algorithm_that_is_not_there_is_refused_before_anything_is_read(project: Path) -> None:
    arguments = ("train", "--from-topic", "--project", project, "--policy", project)
    refused = prefstream(*arguments, "--out", project / "new", "--algorithm", "ppo")
    assert isinstance(refused.exception, ConfigError)
    assert "take grpo" in str(refused.exception)
