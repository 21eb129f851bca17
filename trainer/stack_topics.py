"""The topics of a running stack, as rounds use them: publish, wait for the stages, read."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from infra.publish import publish
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.errors import DependencyDown
from schemas.events import TOPICS, Event, Preference
from streams.lag import pending_by_stage
from trainer.log_slice import read_log
from trainer.staged_log import LogValues

E = TypeVar("E", bound=Event)

_LOOK_S = 0.5
# A stage that waits for a slow model still moves now and then.
_STUCK_S = 300.0


class StackTopics:
    """Workers of consumer groups do the work; see ``prefstream up``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def publish(self, events: Iterable[Event]) -> None:
        """Write events to their topics; returns when they are durable."""
        publish(self.settings, events)

    def settle(self, watch: Callable[[Mapping[str, int]], None]) -> None:
        """Return when no stage has anything pending.

        Raises ``DependencyDown`` where nothing has moved for some minutes.
        """
        before: dict[str, int] = {}
        moved_s = time.monotonic()
        while any((pending := pending_by_stage(self.settings)).values()):
            watch(pending)
            self.check()
            if pending != before:
                before, moved_s = pending, time.monotonic()
            elif time.monotonic() - moved_s > _STUCK_S:
                stuck = next(stage for stage, count in pending.items() if count)
                raise DependencyDown(
                    f"{pending[stuck]} events wait at stage {stuck} and nothing has moved for "
                    f"{_STUCK_S:.0f} s; see by `prefstream status` whether its worker runs",
                    reason="stuck",
                )
            time.sleep(_LOOK_S)

    def check(self) -> None:
        """Raise where it is known that the stages cannot go on; nothing is known here."""

    def events(self, kind: type[E]) -> list[E]:
        """Every event of a topic so far, the first of an id only."""
        first: dict[str, E] = {}
        for logged in read(self.settings, snapshot(self.settings, TOPICS[kind])):
            if isinstance(logged.event, kind):
                first.setdefault(logged.event.event_id, logged.event)
        return list(first.values())

    def preferences(self) -> LogValues:
        """All of them so far, as a dataset is frozen from."""
        return read_log(self.settings, Preference)
