"""How one worker of a stage runs; nothing here can change a result."""

from pydantic import BaseModel, ConfigDict, Field

from streams.runner.poison import PoisonLimit
from streams.runner.retry import RetryPolicy

# Model stages wait for batches or a server: 16 sets of four answers fill a batch of 64 rows. A
# comparison waits for the slower of its two orders; 64 of them keep 64 requests under way, where
# 32 would be down to 50 on average. Stages that compute gain nothing from more than a few.
_CONCURRENCY = {"sample": 16, "judge": 64}
_OTHERS = 8


def default_concurrency(stage: str) -> int:
    """Events in a stage at a time where nothing else is said."""
    return _CONCURRENCY.get(stage, _OTHERS)


class WorkerOptions(BaseModel):
    """One worker process of a stage's consumer group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(default=8, ge=1, le=4096)
    """Events in the stage at a time. Raise it for stages that wait (a judge server), not for
    stages that compute."""

    instance: str | None = None
    """Stable name of this worker within its group (verify-0). With it a killed worker that comes
    back takes its partitions up at once; without it the group waits for the session to expire
    (10 s). No two running workers of a group may share one."""

    drain_s: float = Field(default=10.0, ge=0)
    """How long work under way may go on at SIGTERM or when partitions move: less than supervisors
    wait before SIGKILL (15 s here, 30 s on Kubernetes) and than the group waits for a member in a
    rebalance (60 s)."""

    poll_interval_s: float = Field(default=120.0, gt=0)
    """A worker whose event loop stands still for so long leaves its partitions to others."""

    health_port: int = Field(default=0, ge=0, le=65535)
    """Loopback port of liveness and readiness; 0 takes a free one, which the log names."""

    retry: RetryPolicy = RetryPolicy()
    poison: PoisonLimit = PoisonLimit()

    def buffered_events(self) -> int:
        """Events fetched ahead: enough to keep the window full between polls."""
        return 8 * self.polled_events()

    def polled_events(self) -> int:
        """Events taken over in one poll; few for slow stages, so that little is held in memory."""
        return min(500, max(64, 4 * self.concurrency))
