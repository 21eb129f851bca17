"""A range of offsets of a topic on a real broker, frozen and verified."""

import json
from pathlib import Path

import pytest

from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import snapshot
from schemas.errors import ConfigError
from schemas.records import HumanWinner, OffsetRange, RunStatus
from tests.command_line import prefstream
from tests.preferences import label, preference
from tests.tiny_policy import save_tiny_policy
from trainer.log_slice import read_runs
from trainer.manifest import read_manifest

pytestmark = pytest.mark.integration


@pytest.fixture
def log(log: Settings) -> Settings:
    publish(log, [preference(f"row {n}") for n in range(40)])
    return log


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.yaml").write_text("workload: shop\n", encoding="utf-8")
    return tmp_path


def largest(log: Settings, topic: str) -> OffsetRange:
    return max(snapshot(log, topic), key=lambda held: held.last - held.first)


def test_what_is_named_is_frozen_and_no_more(log: Settings, project: Path) -> None:
    held = largest(log, "preferences")
    first, last = held.first + 1, held.last - 1
    named = f"{held.partition}:{first}-{last}"
    freeze = ("dataset", "freeze", project / "some", "--project", project, "--range")
    made = prefstream(*freeze, named)
    assert made.exit_code == 0, made.exception
    manifest = read_manifest(project / "some")
    assert manifest.ranges == (held.model_copy(update={"first": first, "last": last}),)
    assert manifest.rows == manifest.read == last - first + 1

    # more of the topic changes neither what it is verified against nor what a range means
    publish(log, [preference(f"later {n}") for n in range(40)])
    checked = prefstream("dataset", "verify", project / "some")
    assert checked.exit_code == 0, checked.stderr
    again = prefstream(*freeze, named)
    assert json.loads(again.stdout)["row_sha256"] == manifest.row_sha256

    beyond = prefstream(*freeze, f"{held.partition}:{first}-999999")
    assert isinstance(beyond.exception, ConfigError)
    assert f"holds offsets {held.first} to" in str(beyond.exception)


def test_labels_have_ranges_too(log: Settings, project: Path) -> None:
    publish(log, [label(f"person {n}", HumanWinner.A) for n in range(3)])
    held = largest(log, "labels")
    arguments = ("--topic", "labels", "--workload", "all")
    named = f"{held.partition}:{held.last}-"
    made = prefstream("dataset", "freeze", project / "said", *arguments, "--range", named)
    assert made.exit_code == 0, made.exception
    assert read_manifest(project / "said").rows == 1


def test_a_training_names_its_range_in_the_run(log: Settings, project: Path) -> None:
    held = largest(log, "preferences")
    policy = save_tiny_policy(project / "old")
    arguments = ("--project", project, "--policy", policy, "--out", project / "new")
    named = ("--range", f"{held.partition}:-{held.first}")
    # nobody measured the judge: it is refused, with the range that it would have trained on
    refused = prefstream("train", "--from-topic", *arguments, *named)
    assert refused.exit_code == 2, refused.exception
    (told,) = read_runs(log)
    assert told.status is RunStatus.REFUSED
    assert told.offset_ranges == (held.model_copy(update={"last": held.first}),)

    both = prefstream("train", "--manifest", project, *arguments, *named)
    assert "the rows of a --manifest are chosen" in str(both.exception)
