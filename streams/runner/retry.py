"""How often, how long and when an event is tried again: numbers and pure arithmetic."""

from pydantic import BaseModel, ConfigDict, Field


class RetryPolicy(BaseModel):
    """The patience of a runner; the same numbers hold on Kafka and in process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_attempts: int = Field(default=5, ge=1)
    """Calls of the stage for one event before it becomes a dead letter marked retryable."""

    first_wait_s: float = Field(default=0.2, gt=0)
    """Wait before the second attempt; each later one is twice as long."""

    max_wait_s: float = Field(default=30.0, gt=0)
    """The doubling stops here: five attempts wait at most 3 s, an outage asks twice a minute."""

    max_retry_after_s: float = Field(default=600.0, gt=0)
    """A wait that the other side asks for is honoured up to here; a wrong header must not hold a
    partition for a day."""

    time_limit_s: float = Field(default=120.0, gt=0)
    """One call of the stage; longer is a Transient. A judge call on a busy CPU takes up to 30 s."""

    outage_limit_s: float | None = Field(default=None, gt=0)
    """How long a dependency may be away before the runner gives up; None waits for ever, which is
    right where a log keeps the events meanwhile."""


def wait_s(policy: RetryPolicy, failures: int, retry_after_s: float | None, jitter: float) -> float:
    """Seconds to wait after ``failures`` (1 or more) failed attempts.

    Exponential backoff with equal jitter: half of the step is fixed, half is scaled by ``jitter``
    in [0, 1), so that events which failed together do not come back together. Never less than
    what the other side asked for, and then up to a tenth more.
    """
    # 2**60 steps is past every limit; the exponent is bounded so that it cannot overflow.
    step = min(policy.max_wait_s, policy.first_wait_s * 2.0 ** min(failures - 1, 60))
    backoff = step * (0.5 + 0.5 * jitter)
    asked = min(max(retry_after_s or 0.0, 0.0), policy.max_retry_after_s)
    return max(backoff, asked * (1.0 + 0.1 * jitter))
