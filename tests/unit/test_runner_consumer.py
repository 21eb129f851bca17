"""The faust consumer with the ledger: what it does with messages, without a broker."""

import gc
from pathlib import Path

import faust
import pytest
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from infra.settings import Settings
from schemas.errors import Fatal
from streams import ledger
from streams.faust_app import create_app
from streams.ledger import LedgerConsumer, check_faust
from streams.runner.worker_options import WorkerOptions

PARTITION = TP("samples", 0)


@pytest.fixture
async def consumer(tmp_path: Path) -> LedgerConsumer:
    """A consumer that is not connected to anything."""
    settings = Settings(bootstrap_servers="localhost:1", data_dir=tmp_path)
    app = create_app(settings, "group", WorkerOptions())
    app.topics._acking_topics.add("samples")
    made = app.consumer
    assert isinstance(made, LedgerConsumer)
    return made


def message(offset: int) -> ConsumerMessage:
    made = ConsumerMessage("samples", 0, offset, 0.0, 0, None, b"", b"", None, tp=PARTITION)
    made.incref()
    return made


def test_this_faust_is_the_one_the_ledger_was_written_for() -> None:
    check_faust()


def test_another_faust_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faust, "__version__", "0.16.0")
    with pytest.raises(Fatal, match="installed is 0\\.16\\.0; install the locked requirements"):
        check_faust()


def test_a_missing_private_name_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "REPLACED", ("_gone",))
    with pytest.raises(Fatal, match="without _gone"):
        check_faust()


async def test_forgotten_messages_hold_the_commit(consumer: LedgerConsumer) -> None:
    """Loss case 4: faust's WeakSet forgets a message that nobody acknowledged."""
    consumer.unacked.add(message(0))
    later = message(1)
    consumer.unacked.add(later)
    later.ack(consumer)
    gc.collect()
    assert consumer._filter_committable_offsets([PARTITION]) == {}
    assert len(consumer.unacked) == 1


async def test_gaps_are_committed_over(consumer: LedgerConsumer) -> None:
    for offset in (3, 9):
        started = message(offset)
        consumer.unacked.add(started)
        started.ack(consumer)
    assert consumer._filter_committable_offsets([PARTITION]) == {PARTITION: 10}


async def test_messages_that_were_never_started_are_not_committed(
    consumer: LedgerConsumer,
) -> None:
    """Loss case 5, first half: faust acknowledges messages of an older generation unprocessed."""
    skipped = message(4)
    skipped.ack(consumer)
    assert consumer._filter_committable_offsets([PARTITION]) == {}


async def test_finished_work_survives_the_revocation_until_it_is_committed(
    consumer: LedgerConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loss case 5, second half: faust drops what it knows of a partition before it drains."""
    finished, unfinished = message(0), message(1)
    for started in (finished, unfinished):
        consumer.unacked.add(started)
    finished.ack(consumer)
    seen: list[dict[TP, int]] = []

    async def look(_: set[TP]) -> None:
        seen.append(consumer._filter_committable_offsets([PARTITION]))

    monkeypatch.setattr(consumer, "_on_partitions_revoked", look)
    await consumer.on_partitions_revoked({PARTITION})
    assert seen == [{PARTITION: 1}]
