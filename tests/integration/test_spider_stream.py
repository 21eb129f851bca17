"""5,170 real predictions through the real broker: every verdict, every event, every pair."""

from pathlib import Path

import pytest

from bench.spider_data import candidate_sets, load_labels, load_predictions, load_spider
from bench.spider_project import write_project
from bench.spider_report import Report, report
from bench.spider_stream import STAGES, SpiderStream, StreamLog
from infra.kafka import bootstrap, ensure_topics
from infra.stack import Stack
from schemas.events import Judgment, Preference
from schemas.records import PreferenceSource, VerifierWinner

DATA = Path(__file__).parents[3] / "shared/data/spider"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the Spider data is not at {DATA}"),
]
SYSTEMS = 5
QUESTIONS = 1034


@pytest.fixture(scope="module")
def streamed(
    broker_stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> tuple[StreamLog, Report]:
    """The log and the report of one run of everything."""
    folder = tmp_path_factory.mktemp("spider")
    shared = broker_stack.settings
    settings = shared.model_copy(
        update={
            "bootstrap_servers": bootstrap(shared),
            "topic_prefix": "spider-",
            "data_dir": folder / "data",
        }
    )
    ensure_topics(settings)
    data = load_spider(DATA)
    paths = sorted((DATA / "predictions").glob("*.sql"))
    systems = [load_predictions(path) for path in paths]
    labels = {path.stem: load_labels(path.with_suffix(".official_labels.json")) for path in paths}
    project = write_project(folder / "project", DATA, "spider_exec")
    with SpiderStream(broker_stack, settings, project) as stream:
        stream.feed(list(candidate_sets(data, systems)))
        stream.wait_done()
        log = stream.log()
    return log, report(log, data, systems, labels, seconds=0)


def test_every_verdict_is_the_official_one(streamed: tuple[StreamLog, Report]) -> None:
    _, found = streamed
    assert found.n == SYSTEMS * QUESTIONS
    assert found.disagreements == 0, found.examples
    assert len(found.systems) == SYSTEMS
    for system in found.systems.values():
        assert system.accuracy == system.official_accuracy


def test_every_event_is_accounted_for(streamed: tuple[StreamLog, Report]) -> None:
    log, found = streamed
    assert found.accounting.closed
    assert found.lost == 0
    assert tuple(found.accounting.stages) == STAGES
    assert found.accounting.stages["verify"].taken == QUESTIONS
    for account in found.accounting.stages.values():
        assert account.pending == 0
        assert account.dead_lettered == 0
    assert len(log.first("samples")) == QUESTIONS


def test_a_pair_never_prefers_a_failed_answer(streamed: tuple[StreamLog, Report]) -> None:
    log, found = streamed
    assert found.chosen_failed == 0
    preferences = [message.event for message in log.first("preferences").values()]
    assert len(preferences) == found.pairs > 0
    for preference in preferences:
        assert isinstance(preference, Preference)
        assert preference.source is PreferenceSource.VERIFIER
        assert preference.chosen_checks["sql_result_match"] == "PASS"
        assert "FAIL" in preference.rejected_checks.values()


def test_without_a_judge_only_what_verifiers_decided_goes_on(
    streamed: tuple[StreamLog, Report],
) -> None:
    log, found = streamed
    judged = [message.event for message in log.first("judgments").values()]
    for judgment in judged:
        assert isinstance(judgment, Judgment)
        assert judgment.comparison.verifier_winner is not VerifierWinner.NONE
        assert judgment.opinions == ()
    account = found.accounting.stages["judge"]
    assert set(account.discarded) == {"no_judge"}
    assert account.taken == len(judged) + account.discarded["no_judge"]
