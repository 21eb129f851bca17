"""`prefstream show` without a file: out of the topic where no tables are, and out of the tables."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from consumers.clickhouse.lag import wait_caught_up
from infra.settings import Settings
from schemas.events import Judgment
from tests.sinks import SinkProcess, produce
from tests.unit.judge_case import comparison
from tests.unit.test_show import configure, judged, proofs
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.integration


@pytest.fixture
def found(log: Settings, tmp_path: Path) -> Judgment:
    """A judgment of the project in ``tmp_path``, in the topic with another one."""
    configure(tmp_path)
    other = judged(tmp_path, comparison(event_id="another"))
    found = judged(tmp_path, comparison())
    produce(log, [other, found])
    (tmp_path / "judgments.jsonl").unlink()
    return found


def shown(project: Path, judgment_id: str) -> Result:
    arguments = ["show", judgment_id, "--project", str(project), "--json"]
    return CliRunner().invoke(app, arguments)


def test_without_tables_the_topic_is_read(found: Judgment, tmp_path: Path) -> None:
    result = shown(tmp_path, found.event_id)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["event_id"] == found.event_id
    assert proofs(result) == [("matches", ""), ("matches", "")]


def test_the_tables_are_asked_first(
    found: Judgment, log: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SinkProcess(log, tmp_path / "sink.log") as sink:
        sink.wait_serving()
        wait_caught_up(log, DEADLINE_S)
        # nobody listens there: what is shown now comes out of the tables
        monkeypatch.setenv("PREFSTREAM_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        result = shown(tmp_path, found.event_id)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["comparison"]["event_id"] == found.comparison.event_id
    assert proofs(result) == [("matches", ""), ("matches", "")]
