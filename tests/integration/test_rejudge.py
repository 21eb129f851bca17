"""`prefstream rejudge` over a real log: what it reads, and where the new judgments go."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.kafka import bootstrap
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import read, snapshot
from infra.topic_range import named_ranges, tails
from infra.topics import REJUDGMENTS
from schemas.errors import ConfigError
from schemas.events import Judgment
from schemas.records import Winner
from streams.judge.lock import FILE_NAME
from tests.events import candidate, comparison, judgment
from tests.unit.judge_case import RUBRIC

pytestmark = pytest.mark.integration

N = 12


def old(number: int) -> Judgment:
    """A verdict for A on a comparison of its own."""
    sides = {
        name: {"candidate": candidate(f"{number}{name}", f"{name} {number}"), "outcome": "PASSED"}
        for name in "ab"
    }
    judged = comparison(
        **sides,  # type: ignore[arg-type]  # validated by the model
        event_id=f"c{number}",
        prompt_id=f"p{number}",
        # a pair stage may name the id alone, or the version that is in use
        rubric_id="harbor" if number % 2 else "harbor/1",
    )
    return judgment(judged, event_id=f"j{number}", prompt_id=f"p{number}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose recorded judge prefers B of every third comparison, else A."""
    (tmp_path / "pipeline.yaml").write_text(
        "judge: {model: 'recorded:verdicts.jsonl', rubric: harbor/1}\n"
    )
    rubrics = tmp_path / "rubrics" / "harbor"
    rubrics.mkdir(parents=True)
    for version in "12":
        rubric = RUBRIC.model_copy(
            update={"version": version, "criteria": RUBRIC.criteria[1:], "tie_policy": version}
        )
        (rubrics / f"{version}.yaml").write_text(rubric.model_dump_json(), encoding="utf-8")
    rows = []
    for number in range(N):
        said = "A" if number % 3 else "B"
        row = {"prompt": "How much did we sell?", "a": f"a {number}", "b": f"b {number}"}
        rows.append(json.dumps(row | {"given": said, "swapped": said}))
    (tmp_path / "verdicts.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def rejudge(settings: Settings, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", "rejudge", *arguments, "--project", str(project)]
    environment = {
        "PREFSTREAM_BOOTSTRAP_SERVERS": bootstrap(settings),
        "PREFSTREAM_TOPIC_PREFIX": settings.topic_prefix,
        "PREFSTREAM_PARTITIONS": str(settings.partitions),
        "PREFSTREAM_DATA_DIR": str(project / "data"),
    }
    import os

    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | environment
    )


def judgments(settings: Settings, topic: str) -> list[Judgment]:
    logged = read(settings, snapshot(settings, topic))
    return [one.event for one in logged if isinstance(one.event, Judgment)]


def test_new_verdicts_stand_beside_the_old_ones(fresh_broker: Settings, project: Path) -> None:
    publish(fresh_broker, [old(number) for number in range(N)])
    done = rejudge(fresh_broker, project, "--rubric", "harbor/2", "--last", "9", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["n"], found["topic"]) == (9, REJUDGMENTS)
    assert {flip["new"] for flip in found["flips"]} == {"B"}
    assert len(judgments(fresh_broker, REJUDGMENTS)) == 9
    assert len(judgments(fresh_broker, "judgments")) == N
    assert not (project / "rubrics" / FILE_NAME).exists()

    done = rejudge(
        fresh_broker, project, "--rubric", "harbor/2", "--from", "judgments", "--publish"
    )
    assert done.returncode == 0, done.stderr
    after = judgments(fresh_broker, "judgments")
    assert len(after) == 2 * N
    assert {one.rubric_version for one in after} == {"1", "harbor/2"}
    assert sum(one.winner is Winner.B for one in after) == N // 3
    assert "harbor/2" in json.loads((project / "rubrics" / FILE_NAME).read_text())


def test_what_cannot_be_read_is_told(fresh_broker: Settings, project: Path) -> None:
    both = rejudge(fresh_broker, project, "--rubric", "harbor/2", "--last", "1", "--from", "x")
    assert both.returncode == 78
    assert "one of them" in both.stderr
    other = rejudge(fresh_broker, project, "--rubric", "other/1", "--last", "1")
    assert other.returncode == 78
    assert "goes by a rubric other" in other.stderr


def test_parts_of_a_topic_by_name(fresh_broker: Settings) -> None:
    publish(fresh_broker, [old(number) for number in range(40)])
    held = snapshot(fresh_broker, "judgments")
    assert tuple(named_ranges(fresh_broker, ["judgments"])) == held
    first = held[0]
    part = named_ranges(fresh_broker, [f"judgments:{first.partition}:1-2"])
    assert [(one.first, one.last) for one in part] == [(1, 2)]
    assert [one.last - one.first + 1 for one in tails([first], 2)] == [2]
    assert tails([first], 1000) == [first]
    for wrong, said in (
        ("judgments:x", "names no part"),
        ("judgments:99", "holds nothing"),
        (f"judgments:{first.partition}:3-1", "comes after"),
        ("nonsense", "nonsense"),
    ):
        with pytest.raises(ConfigError, match=said):
            named_ranges(fresh_broker, [wrong])
