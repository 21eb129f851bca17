"""From the topics into the queues: comparisons that people are asked about, labels that exist.

Every read goes on where the last one ended; the offsets stand in the same database and move in the
same transaction, so an item is queued once however often a read is cut off. Labels are read too: a
label that Kafka took while the server died, or that was imported, counts like any other.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from sqlalchemy import Engine, select, update
from sqlalchemy.engine import Connection

from consumers.calibration.content import as_given_to
from consumers.review.items import add_item, find_item, load_item, settle
from consumers.review.tables import INTAKE, LABELS, take_turn
from infra.settings import Settings
from infra.topic_log import LoggedEvent, read, snapshot
from schemas.events import TOPICS, Comparison, Label
from schemas.records import LabelRole, OffsetRange, Purpose

DEFAULT_ANNOTATORS = 2
_TO_LABEL = frozenset({Purpose.ANCHOR, Purpose.PROBE})
# One transaction: the pages wait for no longer than this takes (some 10 ms).
_BATCH = 200


def queue(
    engine: Engine,
    comparisons: Iterable[Comparison],
    role: LabelRole,
    now_s: float,
    annotators: int = 1,
) -> int:
    """Queue comparisons in one role, however they were chosen; returns how many are new."""
    added, left = 0, iter(comparisons)
    while batch := list(islice(left, _BATCH)):
        with engine.begin() as connection:
            take_turn(connection)
            added += sum(add_item(connection, one, role, annotators, now_s) for one in batch)
    return added


def fill(
    settings: Settings,
    engine: Engine,
    now_s: Callable[[], float],
    annotators: int = DEFAULT_ANNOTATORS,
) -> int:
    """Queue the anchors and probes that the topics gained, then count the labels they gained;
    returns how many items are new. Raises ``DependencyDown`` where Kafka is away."""
    added = 0

    def take(connection: Connection, logged: LoggedEvent) -> None:
        nonlocal added
        event = logged.event
        if isinstance(event, Comparison) and event.purpose in _TO_LABEL:
            added += add_item(connection, event, LabelRole.LABEL, annotators, now_s())
        elif isinstance(event, Label):
            count_label(connection, event)

    for topic in (TOPICS[Comparison], TOPICS[Label]):
        for wanted in _unread(settings, engine, topic):
            events = read(settings, [wanted])
            while batch := list(islice(events, _BATCH)):
                with engine.begin() as connection:
                    take_turn(connection)
                    for logged in batch:
                        take(connection, logged)
                    _move(connection, wanted, batch[-1].offset + 1)
            with engine.begin() as connection:
                _move(connection, wanted, wanted.last + 1)
    return added


def count_label(connection: Connection, label: Label) -> None:
    """Let a label from the topic count, if an item of these queues asks about its texts."""
    known = LABELS.c.event_id == label.event_id
    if label.withdraws is not None:
        own = (LABELS.c.event_id == label.withdraws, LABELS.c.person == label.annotator)
        item = connection.execute(select(LABELS.c.item).where(*own)).scalar()
        if item is None:
            return
        connection.execute(update(LABELS).where(*own).values(state="withdrawn"))
    elif (state := connection.execute(select(LABELS.c.state).where(known)).scalar()) is not None:
        if state != "sending":
            return
        item = connection.execute(select(LABELS.c.item).where(known)).scalar_one()
        connection.execute(update(LABELS).where(known).values(state="acknowledged"))
    else:
        item = find_item(connection, label.content_sha256, label.role)
        if item is None:
            return
        given = as_given_to(label, load_item(connection, item).comparison)
        assert given is not None, "the item is found by the texts"
        connection.execute(
            LABELS.insert().values(
                event_id=label.event_id,
                item=item,
                person=label.annotator,
                winner=given.winner,
                state="acknowledged",
                revealed=False,
                at=label.occurred_at.timestamp(),
                event=given.model_dump_json(),
            )
        )
    settle(connection, load_item(connection, item), label.occurred_at.timestamp())


def _unread(settings: Settings, engine: Engine, topic: str) -> Iterator[OffsetRange]:
    """What the topic holds beyond what was read; all of it where the topic was made again."""
    with engine.connect() as connection:
        rows = connection.execute(select(INTAKE).where(INTAKE.c.topic == topic))
        read_to = {(row.topic_uuid, row.partition): row.next_offset for row in rows}
    for held in snapshot(settings, topic):
        first = max(held.first, read_to.get((held.topic_uuid, held.partition), held.first))
        if first <= held.last:
            yield held.model_copy(update={"first": first})


def _move(connection: Connection, read_range: OffsetRange, next_offset: int) -> None:
    place = (
        INTAKE.c.topic == read_range.topic,
        INTAKE.c.partition == read_range.partition,
    )
    values = {"topic_uuid": read_range.topic_uuid, "next_offset": next_offset}
    moved = connection.execute(update(INTAKE).where(*place).values(**values))
    if moved.rowcount == 0:
        connection.execute(
            INTAKE.insert().values(topic=read_range.topic, partition=read_range.partition, **values)
        )
