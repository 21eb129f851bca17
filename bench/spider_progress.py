"""How far the groups of a stream have come, from the broker."""

import time
from collections.abc import Callable, Iterable

from infra.kafka import admin, group_name, topic_name
from infra.kafka_offsets import committed_offsets, identify, spans
from infra.settings import Settings
from schemas.errors import Transient

_CHECK_S = 0.2
# Without a commit for this long something hangs; a restarted group has been seen to need 20 s.
_STUCK_S = 180.0


class Progress:
    """Offsets of consumer groups on topics, both named without prefix."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = admin(settings)

    def committed(self, group: str) -> int:
        """Offsets that the group has committed, all topics and partitions together."""
        name = group_name(self._settings, group)
        return sum(committed_offsets(self._settings, self._client, name).values())

    def pending(self, group: str, topics: Iterable[str]) -> int:
        """Offsets of these topics that the group has not committed yet."""
        name = group_name(self._settings, group)
        offsets = committed_offsets(self._settings, self._client, name)
        wanted = {topic_name(self._settings, topic) for topic in topics}
        held = spans(
            self._settings,
            self._client,
            identify(self._settings, self._client, wanted).values(),
        )
        return sum(span.end - offsets.get(place, span.first) for place, span in held.items())


def wait_for(
    condition: Callable[[], bool], state: Callable[[], object], check: Callable[[], None]
) -> None:
    """Return when ``condition()`` holds. ``check`` raises where waiting has become pointless.

    Raises Transient where ``state()`` has not changed for three minutes.
    """
    seen, since_s = state(), time.monotonic()
    while not condition():
        check()
        now = state()
        if now != seen:
            seen, since_s = now, time.monotonic()
        if time.monotonic() - since_s > _STUCK_S:
            raise Transient(f"the stream stands still at {seen}; see the logs of its workers")
        time.sleep(_CHECK_S)
