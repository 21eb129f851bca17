"""The limit on poison: a bad deploy must not drain a topic into dead letters."""

from collections import deque

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import Fatal


class PoisonLimit(BaseModel):
    """How much poison among the latest events of one workload is still an accident."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_events: int = Field(default=200, ge=1)
    """The latest events that count."""

    min_poison: int = Field(default=50, ge=1)
    """Fewer than this says nothing: a handful of bad lines is ordinary input."""

    max_share: float = Field(default=0.5, gt=0, le=1)
    """Above this share of poison the worker stops."""


class PoisonWindow:
    """Shares of poison over the latest events, for each workload and for all together.

    Bytes that cannot be decoded belong to no workload and count in the window of all.
    """

    def __init__(self, limit: PoisonLimit) -> None:
        self._limit = limit
        self._latest: dict[str | None, deque[bool]] = {}

    def record(self, workload_id: str | None, *, poison: bool) -> None:
        """Count one event.

        Raises ``Fatal`` where the share is above the limit; the event that crosses it must then
        not be written as a dead letter, its offset stays uncommitted.
        """
        for workload in dict.fromkeys((workload_id, None)):
            latest = self._latest.setdefault(workload, deque(maxlen=self._limit.window_events))
            latest.append(poison)
            bad = sum(latest) if poison else 0
            if bad >= self._limit.min_poison and bad > self._limit.max_share * len(latest):
                whose = f"workload {workload!r}" if workload else "all workloads together"
                raise Fatal(
                    f"{bad} of the last {len(latest)} events of {whose} could not be processed "
                    f"(limit {self._limit.max_share:.0%}); the worker stops so that the topic is "
                    "not drained into dead-letters. Read their messages (`prefstream query "
                    "dead-letters`), mend the configuration or the producer, and start it again"
                )
