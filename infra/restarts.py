"""How often a process that ends by itself is started again."""

from dataclasses import dataclass, field

# At once the first time; then twice as long each time, so that a process which cannot live costs
# nothing much and one whose dependency comes back is there soon after.
_FIRST_S = 1.0
_LONGEST_S = 60.0
# One that lived this long starts again with a clean record.
_HEALTHY_S = 120.0


@dataclass(slots=True)
class Restarts:
    """The record of one process; times are seconds of one monotonic clock."""

    _pid: int | None = field(default=None)
    _ended_s: float | None = field(default=None)
    _wait_s: float = field(default=0.0)

    def noticed(self, pid: int) -> bool:
        """Whether the end of this pid is already in the record."""
        return self._pid == pid

    def ended(self, pid: int, now_s: float) -> None:
        """Put the end of ``pid`` on record."""
        lived_long = self._ended_s is None or now_s - self._ended_s - self._wait_s > _HEALTHY_S
        self._wait_s = 0.0 if lived_long else min(_LONGEST_S, max(_FIRST_S, 2 * self._wait_s))
        self._pid, self._ended_s = pid, now_s

    def due(self, now_s: float) -> bool:
        """Whether it may be started again now."""
        return self._ended_s is not None and now_s - self._ended_s >= self._wait_s
