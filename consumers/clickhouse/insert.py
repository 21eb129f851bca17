"""Blocks of messages into tables: decode, map, and insert under the block's token."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from consumers.clickhouse.rows import Row, json_lines, row
from consumers.clickhouse.tables import KAFKA_COLUMNS, Table, statements
from schemas.codec import Codec
from schemas.errors import DependencyDown, SchemaMismatch
from schemas.events import DeadLetter
from schemas.ids import derived_id
from streams.runner.dead_letter import Arrival, dead_letter

STAGE = "sink"
"""The name under which the sink stands in dead letters."""

_SETTINGS = {
    "insert_deduplicate": 1,
    # An insert that was cut between table and view is healed by its replay.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "async_insert": 0,
    # One block in, one part out: the token then stands for all of it.
    "input_format_parallel_parsing": 0,
    "min_insert_block_size_rows": 10_000_000,
    "min_insert_block_size_bytes": 4 * 1024**3,
}


@dataclass(kw_only=True)
class Decoded:
    """A block's rows, and dead letters for what is no event of the table's topic."""

    rows: list[Row] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)


def decode(codec: Codec, table: Table, topic_uuid: str, arrivals: Sequence[Arrival]) -> Decoded:
    """Rows of the messages, in order."""
    decoded = Decoded()
    for arrival in arrivals:
        try:
            event = codec.decode(arrival.value or b"")
            if type(event) is not table.event:
                raise SchemaMismatch(
                    f"the message is a {type(event).__name__}; topic {table.topic} carries "
                    f"{table.event.__name__} only"
                )
        except SchemaMismatch as error:
            decoded.dead_letters.append(sink_dead_letter(arrival, error))
            continue
        place = (topic_uuid, arrival.partition, arrival.offset, arrival.at)
        decoded.rows.append(row(event) | dict(zip(KAFKA_COLUMNS, place, strict=True)))
    return decoded


def sink_dead_letter(arrival: Arrival, error: SchemaMismatch) -> DeadLetter:
    """The sink's own dead letter. A stage that reads the same topic writes one of the same place;
    both must stand, or one would hide from accounting that the other is missing."""
    letter = dead_letter(
        arrival, error, stage=STAGE, config_hash="", attempt=1, retryable=False, event=None
    )
    place = [letter.topic, str(letter.partition), str(letter.offset)]
    return letter.model_copy(update={"event_id": derived_id("DeadLetter", STAGE, place, "")})


class Tables:
    """The tables behind one client, made if they are missing."""

    def __init__(self, client: Client) -> None:
        self._client = client
        for statement in statements():
            client.command(statement)

    def insert(self, table: Table, rows: Sequence[Row], token: str) -> None:
        """Insert the rows as one block; a block whose token was seen is dropped.

        Raises ``DependencyDown`` where ClickHouse does not take them; nothing is lost, the same
        call is to be made again.
        """
        if not rows:
            return
        try:
            self._client.raw_insert(
                table.name,
                column_names=list(rows[0]),
                insert_block=json_lines(rows),
                fmt="JSONEachRow",
                settings=_SETTINGS | {"insert_deduplication_token": token},
            )
        except (ClickHouseError, OSError) as error:
            raise DependencyDown(
                f"ClickHouse took no rows of {table.name} ({str(error)[:500]}); the sink goes on "
                f"trying block {token}",
                reason="unreachable",
            ) from error
