"""Every worker and the sink killed again and again during the Spider stream; all is counted.

A part of the questions and of the kills; all of both: ``python -m bench.spider --kills 10``.
"""

from pathlib import Path

import pytest

from bench.spider_data import candidate_sets, load_labels, load_predictions, load_spider
from bench.spider_project import write_project
from bench.spider_report import report, table_counts
from bench.spider_stream import SpiderStream, kill_rounds
from infra.settings import Settings
from infra.stack import Stack

DATA = Path(__file__).parents[3] / "shared/data/spider"

pytestmark = [
    pytest.mark.faults,
    pytest.mark.integration,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the Spider data is not at {DATA}"),
]
QUESTIONS = 90
ROUNDS = 2


def test_kills_lose_nothing_and_count_nothing_twice(
    broker_stack: Stack, fresh_broker: Settings, tmp_path: Path
) -> None:
    data = load_spider(DATA)
    paths = sorted((DATA / "predictions").glob("*.sql"))
    systems = [load_predictions(path) for path in paths]
    labels = {path.stem: load_labels(path.with_suffix(".official_labels.json")) for path in paths}
    sets = list(candidate_sets(data, systems))[:QUESTIONS]
    project = write_project(tmp_path / "project", DATA, "spider_exec")
    with SpiderStream(broker_stack, fresh_broker, project, with_sink=True) as stream:
        kills = list(kill_rounds(stream, sets, ROUNDS))
        stream.wait_done()
        log = stream.log()
        rows = table_counts(fresh_broker)
    found = report(log, data, systems, labels, seconds=0, kills=len(kills))
    assert len(kills) == ROUNDS * len(stream.names)
    assert found.n == QUESTIONS * len(systems)
    assert found.lost == 0
    assert found.disagreements == 0, found.examples
    assert found.chosen_failed == 0
    assert found.accounting.closed
    assert all(account.pending == 0 for account in found.accounting.stages.values())
    # each event once, however often it was done; a merge may already have dropped second rows
    for topic, counted in rows.items():
        assert counted.events == len(log.first(topic)), topic
        assert counted.events <= counted.rows <= len(log.messages[topic]), topic
