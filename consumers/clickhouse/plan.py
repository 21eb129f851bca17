"""Plan commits: what to insert next, decided so that a replay inserts the very same block.

    commit(first, "plan:last")  →  insert exactly [first, last] under its token  →  commit(last + 1)

Killed before the first commit, nothing happened. Killed after it, whoever comes next finds the
plan and inserts the same block again under the same token, which ClickHouse then drops whole if
it has it (and completes the views of it if it was killed between the two). The token names the
last offset: a longer block under an old token would be dropped with its new rows.
After "Block Aggregator: real-time data ingestion from Kafka to ClickHouse with deterministic
re-tries" (eBay, 2021).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLAN = re.compile(r"^plan:(\d+)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """The offsets ``first`` to ``last`` of one partition, both included."""

    first: int
    last: int

    @property
    def metadata(self) -> str:
        """What is committed at ``first`` before the block is inserted."""
        return f"plan:{self.last}"

    def token(self, topic_uuid: str, partition: int) -> str:
        """The block's insert_deduplication_token: a topic made anew has another uuid."""
        return f"{topic_uuid}:{partition}:{self.first}-{self.last}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resume:
    """Where to go on in a partition: read from ``position``, and ``replay`` first if it is given.

    ``lost`` are offsets that Kafka deleted before they were known to be inserted.
    """

    position: int
    replay: Block | None = None
    lost: Block | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockLimits:
    """When a block is closed. A block must stay one part in ClickHouse, hence far below its
    256 MB a block even where rows are three times as large as their messages."""

    rows: int = 20_000
    bytes: int = 32 * 1024 * 1024
    # Parts are what costs ClickHouse work: one a second and partition is little.
    age_s: float = 1.0


def resume(*, committed: int | None, metadata: str | None, low: int, high: int) -> Resume:
    """Where to go on after an assignment.

    ``committed`` and ``metadata`` are what the group has (None: nothing yet), ``low`` and
    ``high`` the partition's first and next offset.
    """
    if committed is None or committed > high:
        # Never read, or the log was cut below what we had inserted: from what there is.
        return Resume(position=low)
    plan = _PLAN.match(metadata or "")
    replay = Block(first=committed, last=int(plan[1])) if plan else None
    if replay is not None and (replay.last < committed or replay.last >= high):
        # Not a block, or offsets that the log has no more: plan afresh.
        replay = None
    if committed >= low:
        return Resume(position=committed, replay=replay)
    gone = Block(first=committed, last=low - 1)
    if replay is None or replay.last < low:
        return Resume(position=low, lost=gone)
    return Resume(position=low, replay=replay, lost=gone)


def next_block(position: int, sizes: Sequence[tuple[int, int]], limits: BlockLimits) -> Block:
    """The block from ``position`` on over the held messages, as (offset, bytes) in order.

    It holds at least one message and is within the limits otherwise. It starts at ``position``,
    not at the first message: offsets without one (transaction marks) belong to it.
    """
    if not sizes:
        raise ValueError("no block without a message")
    last, total_bytes = sizes[0]
    for offset, size in sizes[1 : limits.rows]:
        total_bytes += size
        if total_bytes > limits.bytes:
            break
        last = offset
    return Block(first=position, last=last)
