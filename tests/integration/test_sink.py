"""The sink on a real broker with real tables."""

from pathlib import Path

import pytest

from consumers.clickhouse.lag import pending, wait_caught_up
from consumers.clickhouse.tables import TABLES
from infra.clickhouse import client
from infra.settings import Settings
from schemas.errors import DependencyDown
from schemas.events import TOPICS, Comparison
from tests.events import candidate, candidate_set, comparison, completion, judgment, verified
from tests.sinks import SinkProcess, produce, produce_bytes
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.integration


def test_every_event_is_a_row_and_what_is_no_event_is_a_dead_letter(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    events = [
        *(completion(event_id=f"c{n}", prompt_id=f"p{n}") for n in range(50)),
        completion(event_id="c7", prompt_id="p7", output="told again, differently"),
        candidate_set(candidate("c1"), candidate("c2")),
        judgment(margin=-1.5),
    ]
    produce(fresh_broker, events)
    produce_bytes(fresh_broker, "samples", b"", b"not avro", b"\x00\x00\x00\x00\x01truncated")
    # A well-formed event of another type is no event of this topic.
    misplaced = comparison(verified("a"), verified("b"))
    produce_misplaced(fresh_broker, misplaced)
    with SinkProcess(fresh_broker, tmp_path / "sink.log") as sink:
        sink.wait_serving()
        wait_caught_up(fresh_broker, DEADLINE_S)
        # Dead letters are written while draining, and are events themselves.
        wait_caught_up(fresh_broker, DEADLINE_S)
        counts = {
            topic: sink.rows(f"SELECT count() FROM {table.first}")[0][0]
            for topic, table in TABLES.items()
        }
        assert {topic: n for topic, n in counts.items() if n} == {
            "completions": 50,
            "samples": 1,
            "judgments": 1,
            "dead-letters": 4,
        }
        first = sink.rows(
            "SELECT output, prompt FROM completions_first WHERE event_id = {id:String}", id="c7"
        )
        assert first == [("We sold 12.", "How much did we sell?")]
        letters = sink.rows(
            "SELECT source_topic, stage, error_class, count() FROM dead_letters_first GROUP BY ALL"
        )
        assert letters == [("samples", "sink", "SchemaMismatch", 4)]
        assert sum(pending(fresh_broker).values()) == 0
        assert sink.terminate() == 0
    produce(fresh_broker, [completion(event_id="late")])
    assert pending(fresh_broker)["completions"] == 1
    with pytest.raises(DependencyDown, match="completions 1"):
        wait_caught_up(fresh_broker, 0.0)


def test_the_front_refuses_what_is_no_read_and_who_has_no_password(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    with SinkProcess(fresh_broker, tmp_path / "sink.log") as sink:
        sink.wait_serving()
        for statement in (
            "DROP TABLE completions",
            "INSERT INTO completions (event_id) VALUES ('x')",
            "SELECT * FROM file('secret.txt', 'LineAsString')",
            "SELECT 1 INTO OUTFILE 'answer.csv'",
            "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
            "SELECT 1; DROP TABLE completions",
        ):
            with pytest.raises(Exception, match=r"Code: (164|62)"):
                sink.rows(statement)
        assert sink.rows("SELECT count() FROM completions") == [(0,)]
        from infra.clickhouse import clickhouse_url

        wrong = clickhouse_url(fresh_broker).replace("prefstream:", "prefstream:x")
        with pytest.raises(DependencyDown):
            client(Settings(clickhouse_url=wrong))


def produce_misplaced(settings: Settings, event: Comparison) -> None:
    from schemas.codec import Codec

    assert TOPICS[type(event)] != "samples"
    produce_bytes(settings, "samples", Codec().encode(event))
