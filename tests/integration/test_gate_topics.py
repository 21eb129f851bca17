"""What a calibrated judge may do, on a real broker through the commands: gate, notice, audit."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from cli.judge_watch import notice
from cli.project import load_project
from consumers.calibration.holdout_ledger import ledger_path
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.events import Calibration, Judgment
from schemas.records import (
    Opinion,
    Order,
    PreferenceSource,
    Purpose,
    RunStatus,
    Winner,
)
from tests.command_line import prefstream
from tests.events import NOON, comparison, judgment, verified
from tests.measured_anchors import (
    N_ANCHORS,
    PIPELINE,
    anchor,
    anchors_with,
    judged,
    measured_project,
    rlaif_rows,
)
from tests.preferences import preference
from tests.promotions import run
from tests.tiny_policy import save_tiny_policy
from trainer.log_slice import read_runs

pytestmark = pytest.mark.integration


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return measured_project(tmp_path)


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
    assert [run.status for run in read_runs(log)] == [RunStatus.REFUSED]


def test_a_run_names_the_folder_that_an_alias_pointed_to(log: Settings, project: Path) -> None:
    publish(log, rlaif_rows())
    version, alias = save_tiny_policy(project / "v1"), project / "production"
    alias.symlink_to("v1")
    arguments = ("--project", project, "--policy", alias, "--out", project / "new")
    assert prefstream("train", "--from-topic", *arguments).exit_code == 2
    assert [run.policy for run in read_runs(log)] == [str(version)]


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

    promoted = run("x", RunStatus.PROMOTED, checkpoint="/models/v2", fingerprint="f00")
    publish(log, [promoted])
    gates = {one["name"]: one for one in json.loads(prefstream(*decide).stdout)["gates"]}
    assert gates["policy_anchors"]["verdict"] == "INCONCLUSIVE"
    assert "--checkpoint f00" in gates["policy_anchors"]["detail"]


def test_a_lead_gets_a_page_and_a_script_the_audit(log: Settings, project: Path) -> None:
    publish(log, [*anchors_with(mistakes_of_10=0), *rlaif_rows()])
    assert prefstream("calibrate", "--project", project).exit_code == 0
    out = project / "judges.html"
    shown = prefstream("calibrate", "report", out, "--project", project)
    assert shown.exit_code == 0, shown.output
    page = out.read_text(encoding="utf-8")
    assert "may label" in page
    assert "look 1 at the calibration split" in page
    assert "was not read for this judge" in page
    found = json.loads(prefstream("audit", "--project", project, "--json").stdout)
    assert found["error"] is None
    assert found["auditors"]["pairs"] == N_ANCHORS


def test_the_anchors_are_dated(log: Settings, project: Path) -> None:
    """A calibration is as old as its newest anchor, so that it goes stale by itself."""
    publish(log, anchors_with(mistakes_of_10=0))
    lines = prefstream("calibrate", "--project", project, "--dry-run", "--json").stdout
    assert {json.loads(line)["occurred_at"] for line in lines.splitlines()} == {
        NOON.isoformat().replace("+00:00", "Z")
    }
