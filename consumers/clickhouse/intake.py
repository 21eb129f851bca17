"""What was read of one partition and not yet inserted."""

from collections import deque
from itertools import takewhile

from consumers.clickhouse.plan import Block, BlockLimits, Resume, next_block
from consumers.clickhouse.tables import Table
from streams.runner.dead_letter import Arrival


class PartitionIntake:
    """The held messages of one assigned partition, in order of offset.

    It belongs to one assignment: when the partition is taken away it is dropped with all it
    holds, and a commit for it is refused by the broker, which fences by generation.
    """

    def __init__(self, table: Table, partition: int, topic_uuid: str, start: Resume) -> None:
        self.table = table
        self.partition = partition
        self.topic_uuid = topic_uuid
        self.position = start.position if start.replay is None else start.replay.first
        self._planned = start.replay
        self._held: deque[Arrival] = deque()
        self._oldest_s = 0.0
        self.held_bytes = 0
        self.passed = False
        """Whether ``position`` moved past offsets without a message and is to be committed."""

    @property
    def replaying(self) -> bool:
        """Whether a block is planned that may already be in the table."""
        return self._planned is not None

    def add(self, arrival: Arrival, now_s: float) -> None:
        """Hold one more message; ``now_s`` is monotonic."""
        if not self._held:
            self._oldest_s = now_s
        self._held.append(arrival)
        self.held_bytes += size_bytes(arrival)

    def due(self, now_s: float, limits: BlockLimits) -> Block | None:
        """The block to insert now, if one is: the planned one once it was read to its end, else
        the next one once it is full or old enough."""
        if not self._held:
            return None
        if self._planned is not None:
            return self._planned if self._held[-1].offset >= self._planned.last else None
        full = len(self._held) >= limits.rows or self.held_bytes >= limits.bytes
        if not full and now_s - self._oldest_s < limits.age_s:
            return None
        sizes = [(arrival.offset, size_bytes(arrival)) for arrival in self._held]
        return next_block(self.position, sizes, limits)

    def reached(self, end: int) -> None:
        """Nothing is to come below ``end``: offsets without a message (transaction marks) at the
        end of the partition are passed over, or they would seem to be pending for ever."""
        if not self._held and self._planned is None and end > self.position:
            self.position = end
            self.passed = True

    def plan(self, block: Block) -> None:
        """The block is promised to Kafka: from now on it is this one and no other."""
        self._planned = block

    def messages(self, block: Block) -> list[Arrival]:
        """The held messages of the block."""
        return list(takewhile(lambda arrival: arrival.offset <= block.last, self._held))

    def done(self, block: Block) -> None:
        """The block is inserted and committed: let go of it."""
        while self._held and self._held[0].offset <= block.last:
            self.held_bytes -= size_bytes(self._held.popleft())
        self.position = block.last + 1
        self._planned = None


def size_bytes(arrival: Arrival) -> int:
    """What the message counts for against the limits."""
    return len(arrival.value or b"") + len(arrival.key or b"")
