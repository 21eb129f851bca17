"""What a dataset leaves out, and what cannot be frozen, on a real broker through the commands."""

import json
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from infra.kafka import admin, topic_name
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import LogChanged, snapshot
from schemas.errors import ConfigError
from schemas.records import (
    PreferenceSource,
)
from tests.command_line import prefstream
from tests.measured_anchors import (
    measured_project,
    rlaif_rows,
)
from tests.preferences import human, preference, said
from tests.tiny_policy import save_tiny_policy
from trainer.manifest import read_manifest

pytestmark = pytest.mark.integration

SAME = said("s is good.")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return measured_project(tmp_path)


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


def test_a_dataset_of_a_judge_that_decided_nothing_yet_can_be_had_again(
    log: Settings, project: Path
) -> None:
    """As after every change of the judge."""
    publish(log, [human("h"), *rlaif_rows()])
    options = ("--judge-config", "new", "--project", project)
    frozen = prefstream("dataset", "freeze", project / "data", *options)
    assert frozen.exit_code == 0, frozen.exception
    verified = prefstream("dataset", "verify", project / "data")
    assert verified.exit_code == 0, verified.stderr
    manifest = json.loads(verified.stdout)
    assert (manifest["judge_config_hash"], manifest["counts"]) == ("new", {"HUMAN": 1})
    assert manifest["removed"] == {"other_judge_config": 40}


def test_an_empty_topic_and_one_of_other_sources_are_refused_by_count(
    log: Settings, project: Path
) -> None:
    policy = save_tiny_policy(project / "old")
    arguments = ("train", "--from-topic", "--project", project, "--policy", policy, "--out")
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
        *("--policy", save_tiny_policy(project / "old"), "--out", project / "new"),
    )
    assert isinstance(late.exception, ConfigError)
    assert "2 prompts of the dataset are a held-out one" in str(late.exception)
