"""Named queries and accounts over tables that a sink wrote from a real broker."""

import json
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from typer import Typer
from typer.testing import CliRunner

from cli.query import account, query
from consumers.accounting import close_accounts, place
from consumers.clickhouse.lag import wait_caught_up
from consumers.clickhouse.named_queries import ask, named_queries, named_query
from consumers.clickhouse.stage_flows import flows_of_tables
from consumers.export import export_preferences, logged_preferences
from infra.clickhouse import client
from infra.kafka import consumer, group_name, topic_name
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.errors import ConfigError, Poison
from schemas.events import CandidateSet
from schemas.records import RunStatus
from streams.discard import discard
from streams.runner.dead_letter import Arrival, dead_letter
from streams.topology import consumer_group
from tests.events import NOON, candidate_set, comparison, judgment, verification, verified
from tests.preferences import calibration
from tests.promotions import FAILED, run
from tests.sinks import SinkProcess, produce, produce_bytes
from tests.unit.test_export import preference
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.integration

app = Typer()
app.command()(account)
app.command()(query)


def commit(settings: Settings, stage: str, topic: str, offsets: dict[int, int]) -> None:
    """Have the stage's group done with the topic up to these offsets."""
    member = consumer(settings, group_name(settings, consumer_group(stage)))
    name = topic_name(settings, topic)
    parts = [TopicPartition(name, partition, offset) for partition, offset in offsets.items()]
    member.commit(offsets=parts, asynchronous=False)
    member.close()


def ends(settings: Settings, topic: str) -> dict[int, int]:
    return {held.partition: held.last + 1 for held in snapshot(settings, topic)}


@pytest.fixture
def verified_sets(fresh_broker: Settings) -> list[CandidateSet]:
    """Three sets and bytes that are none, all read by verify: one verified, one discarded, one
    dead-lettered; of the bytes only the sink has said that they are no event."""
    sets = [candidate_set(event_id=f"s{n}", prompt_id=f"p{n}") for n in range(3)]
    produce(fresh_broker, sets)
    produce_bytes(fresh_broker, "samples", b"no event")
    at = {
        logged.event.event_id if logged.event else "": logged
        for logged in read(fresh_broker, snapshot(fresh_broker, "samples"))
    }
    arrival = Arrival(
        topic="samples",
        partition=at["s2"].partition,
        offset=at["s2"].offset,
        at=NOON,
        key=None,
        value=at["s2"].value,
    )
    produce(
        fresh_broker,
        [
            verification(event_id="v0", source_ids=("s0",)),
            discard(sets[1], "verify", "hash", ["no_candidates"]),
            dead_letter(
                arrival,
                Poison("no"),
                stage="verify",
                config_hash="hash",
                attempt=1,
                retryable=False,
                event=sets[2],
            ),
        ],
    )
    commit(fresh_broker, "verify", "samples", ends(fresh_broker, "samples"))
    return sets


def test_accounts_are_closed_by_ids_and_name_what_is_missing(
    fresh_broker: Settings, verified_sets: list[CandidateSet], tmp_path: Path
) -> None:
    unreadable = [
        logged
        for logged in read(fresh_broker, snapshot(fresh_broker, "samples"))
        if logged.event is None
    ]
    (bad,) = unreadable
    with SinkProcess(fresh_broker, tmp_path / "sink.log") as sink:
        sink.wait_serving()
        wait_caught_up(fresh_broker, DEADLINE_S)
        with client(fresh_broker) as connection:
            accounts = close_accounts(flows_of_tables(fresh_broker, connection))
            verify = accounts.stages["verify"]
            assert verify.missing == (place("samples", bad.partition, bad.offset),)
            arrival = Arrival(
                topic="samples",
                partition=bad.partition,
                offset=bad.offset,
                at=NOON,
                key=None,
                value=bad.value,
            )
            produce(
                fresh_broker,
                [
                    dead_letter(
                        arrival,
                        Poison("no"),
                        stage="verify",
                        config_hash="hash",
                        attempt=1,
                        retryable=False,
                        event=None,
                    )
                ],
            )
            accounts = close_accounts(flows_of_tables(fresh_broker, connection))
            verify = accounts.stages["verify"]
            assert accounts.closed
            assert (verify.taken, verify.out, verify.dead_lettered) == (4, 1, 2)
            assert verify.discarded == {"no_candidates": 1}
            # Nobody has read the verification yet.
            assert accounts.stages["pair"].pending == 1
        run_command(fresh_broker)


def run_command(settings: Settings) -> None:
    found = CliRunner().invoke(app, ["account", "--json"], env=settings.environment())
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["stages"]["verify"]["in"] == 4
    found = CliRunner().invoke(app, ["query", "discards", "--json"], env=settings.environment())
    assert json.loads(found.stdout) == {
        "stage": "verify",
        "reason": "no_candidates",
        "discards": 1,
        "percent_of_stage": 100.0,
    }


def test_every_named_query_runs_and_says_what_it_counts(
    fresh_broker: Settings, tmp_path: Path
) -> None:
    judged = comparison(verified("a"), verified("b"))
    produce(
        fresh_broker,
        [
            judged,
            judgment(judged),
            preference(source_ids=("judgment-1",)),
            preference(source_ids=("judgment-1",), margin=9.0),
            calibration(ece=0.05, scaled_ece=0.02, prompts=690),
            calibration(event_id="of-a-slice", slice="north"),
            run("x", RunStatus.STARTED),
            run("x", RunStatus.REFUSED, gates=FAILED, epoch=7),
            run("t", RunStatus.WAITED, gates=FAILED, epoch=7, detail="too few"),
        ],
    )
    with SinkProcess(fresh_broker, tmp_path / "sink.log") as sink:
        sink.wait_serving()
        wait_caught_up(fresh_broker, DEADLINE_S)
        with client(fresh_broker) as connection:
            answers = {
                name: ask(connection, query, {}).rows for name, query in named_queries().items()
            }
            assert answers["acceptance"] == (("judge", 1, 1, 100.0), ("filter", 1, 1, 100.0))
            assert answers["margins"] == (("RLAIF", 1, 1.5, 1.5, 1.5, 6, 5, 100.0),)
            assert answers["discards"] == ()
            ((*measured, kappa, _, _, decided, error, passed),) = answers["calibrations"]
            assert measured == ["jc", "calibration", f"{NOON:%Y-%m-%d %H:%M}", 700]
            assert (kappa, decided, error, passed) == (0.8, 0.95, 0.05, "PASS")
            ((trained, _, algorithm, last, _, stopped, *_),) = answers["runs"]
            assert (trained, algorithm, last, stopped) == (
                "x-run-id",
                "dpo",
                "REFUSED",
                ["accuracy"],
            )
            ((_, *decided),) = answers["trainer"]
            assert decided == [7, "WAITED", ["accuracy -0.2"], "too few"]
            nobody = ask(connection, named_query("margins"), {"workload": "nobody"})
            assert nobody.rows == ()
            with pytest.raises(ConfigError, match="it has: workload"):
                ask(connection, named_query("margins"), {"tenant": "x"})
    with pytest.raises(ConfigError, match="do you mean margins"):
        named_query("margin")
    out = tmp_path / "pairs.jsonl"
    report = export_preferences(logged_preferences(fresh_broker), out)
    assert (report.rows, report.repeated) == (1, 1)
    assert json.loads(out.read_text())["margin"] == 1.5
