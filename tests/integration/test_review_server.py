"""`prefstream review` as a process, and the pages' evidence from tables that a sink wrote."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from consumers.clickhouse.lag import wait_caught_up
from consumers.review.evidence import TableEvidence
from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import events
from schemas.events import Label
from schemas.records import HumanWinner
from tests.events import judgment
from tests.preferences import calibration, label
from tests.review_desk import pair
from tests.sinks import SinkProcess, produce
from tests.unit.test_export import preference
from tests.waiting import DEADLINE_S, wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
HARBOR = ROOT / "examples" / "harbor" / "project"


def prefstream(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env=os.environ | settings.environment(),
        capture_output=True,
        text=True,
        check=True,
    )


def test_from_a_token_to_a_label_in_the_topic(fresh_broker: Settings, tmp_path: Path) -> None:
    publish(fresh_broker, [pair(1).model_copy(update={"rubric_id": "harbor"})])
    token = prefstream(fresh_broker, "review", "user", "add", "ann").stdout.strip()
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "review", "--port", "0", "--project", str(HARBOR)],
            cwd=ROOT,
            env=os.environ | fresh_broker.environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert server.stdout is not None
        url = re.search(r"http://\S+", server.stdout.readline())
        assert url is not None, (tmp_path / "log").read_text()
        with httpx.Client(base_url=url[0], follow_redirects=True, timeout=DEADLINE_S) as client:
            client.post("/sign-in", data={"token": token})
            wait_until(lambda: client.get("/next/LABEL").url.path == "/items/1", "the anchor")
            page = client.get("/items/1").text
            assert "harbor/1" in page
            code = re.search(r'name="csrf" value="([^"]+)"', page)
            assert code is not None
            client.post("/items/1/label", data={"choice": "TIE", "csrf": code[1]})
        (given,) = events(fresh_broker, Label)
        assert (given.annotator, given.winner) == ("ann", HumanWinner.TIE)
        server.send_signal(signal.SIGTERM)
        assert server.wait(DEADLINE_S) == 0
    finally:
        server.kill()
        server.wait()
    people = prefstream(fresh_broker, "review", "user", "list").stdout
    assert people.split() == ["ann", "annotator"]


def test_a_pair_and_its_judges_come_out_of_the_tables(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    compared = pair(1)
    judged = judgment(compared, event_id="j1", source_ids=(compared.event_id,))
    other = judgment(pair(2), event_id="j2")
    made = preference(event_id="p1", source_ids=("j1",))
    given = label("ann", HumanWinner.A, comparison_id=compared.event_id)
    measured = [calibration(event_id=f"c{n}", kappa=0.5 + n / 10) for n in range(2)]
    produce(fresh_broker, [compared, judged, other, made, given, *measured])
    with SinkProcess(fresh_broker, tmp_path / "sink.log") as sink:
        sink.wait_serving()
        wait_caught_up(fresh_broker, DEADLINE_S)
        evidence = TableEvidence(fresh_broker)
        assert {one.event_id for one in evidence.calibrations()} == {"c0", "c1"}
        for id_ in (compared.event_id, "j1", "p1"):
            history = evidence.pair(id_)
            assert history is not None
            assert history.comparison == compared
            assert [one.event_id for one in history.judgments] == ["j1"]
            assert [one.event_id for one in history.preferences] == ["p1"]
            assert history.labels == (given,)
        assert evidence.pair("unheard of' OR 1=1") is None
