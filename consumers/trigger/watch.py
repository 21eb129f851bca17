"""Counting what the topics bring: each look reads only what came since the one before."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from consumers.trigger.decide import Seen
from consumers.trigger.rate import Rate
from consumers.trigger.settings import TriggerSettings
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.events import TOPICS, Event, Feedback, Judgment, Preference, Verification
from schemas.records import (
    FeedbackKind,
    OffsetRange,
    Outcome,
    PreferenceSource,
    Purpose,
    Winner,
)

_NO_JUDGE: Final = ""
_DRIFT: Final[dict[str, type[Event]]] = {
    "failures": Verification,
    "conflicts": Judgment,
    "complaints": Feedback,
}


class Watch:
    """What came of one workload since a training, and how its rates stand over a window of latest
    events.

    Pairs are counted once an id, in memory (about 100 bytes each); of rlaif pairs only those of the
    judge that answers now. ``current_judge`` gives its judge_config_hash, None where that is not
    known: then all count. It may read gigabytes, so it is asked only when pairs of another come.
    """

    def __init__(
        self,
        infra: Settings,
        workload_id: str,
        settings: TriggerSettings,
        consumed: Sequence[OffsetRange],
        current_judge: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._infra, self._workload_id, self._settings = infra, workload_id, settings
        self._current_judge = current_judge
        self._next = {(r.topic, r.topic_uuid, r.partition): r.last + 1 for r in consumed}
        self._pairs: defaultdict[str, set[str]] = defaultdict(set)
        self._judge: str | None = None
        self._rubrics: set[str] = set()
        self._window: dict[str, deque[bool]] = {
            name: deque(maxlen=settings.drift_window) for name in _DRIFT
        }

    def look(self) -> tuple[Seen, tuple[OffsetRange, ...]]:
        """What is there now, and the preferences' ranges that the look went up to.

        Raises ``DependencyDown``, and ``ConfigError`` where a topic does not exist.
        """
        ranges, judges = snapshot(self._infra, TOPICS[Preference]), len(self._pairs)
        for event in self._fresh(ranges):
            if isinstance(event, Preference) and event.source is not PreferenceSource.THUMBS:
                judged = event.source is PreferenceSource.RLAIF
                self._pairs[event.judge_config_hash if judged else _NO_JUDGE].add(event.event_id)
                if judged:
                    self._rubrics.add(event.rubric_version)
        if len(self._pairs) > judges:
            self._judge = self._current_judge()
        counted = self._pairs if self._judge is None else (_NO_JUDGE, self._judge)
        new_pairs = sum(len(self._pairs.get(judge, ())) for judge in counted)
        seen = Seen(new_pairs=new_pairs, rubrics=frozenset(self._rubrics), rates=self.rates())
        return seen, ranges

    def rates(self) -> dict[str, Rate]:
        """The watched shares by name, over the window as it is now; raises as ``look``."""
        for name, kind in _DRIFT.items():
            window = self._window[name]
            fresh = self._fresh(self._tail(snapshot(self._infra, TOPICS[kind])))
            found = ((event.occurred_at, observed(event)) for event in fresh)
            # Partitions are read one after the other.
            for _, adds in sorted(found, key=lambda one: one[0]):
                window.extend(adds)
        return {name: Rate(n=len(w), count=sum(w)) for name, w in self._window.items()}

    def _fresh(self, ranges: Iterable[OffsetRange]) -> Iterator[Event]:
        """The workload's events of these ranges that were not read before."""
        wanted = []
        for held in ranges:
            key = (held.topic, held.topic_uuid, held.partition)
            first = max(held.first, self._next.get(key, held.first))
            if first <= held.last:
                wanted.append(held.model_copy(update={"first": first}))
            self._next[key] = held.last + 1
        found = (one.event for one in read(self._infra, wanted) if one.event is not None)
        return (event for event in found if event.workload_id == self._workload_id)

    def _tail(self, ranges: Sequence[OffsetRange]) -> list[OffsetRange]:
        """No more of each partition's end than the window could hold."""
        window = self._settings.drift_window
        return [
            held.model_copy(update={"first": max(held.first, held.last - window + 1)})
            for held in ranges
        ]


def observed(event: Event) -> list[bool]:
    """What an event adds to its rate: nothing, or whether it was a failure, conflict, complaint.

    Pure. Failures count production answers that the verifiers decided; conflicts, cross-checked
    comparisons that the judge decided; complaints, thumbs.
    """
    if isinstance(event, Verification) and event.purpose is Purpose.PRODUCTION:
        outcomes = [candidate.outcome for candidate in event.candidates]
        return [one is Outcome.FAILED for one in outcomes if one is not Outcome.UNDECIDED]
    if isinstance(event, Judgment) and event.crosscheck_winner in (Winner.A, Winner.B):
        return [event.crosscheck_winner is not event.winner]
    if isinstance(event, Feedback) and event.kind is FeedbackKind.THUMB:
        return [event.value < 0]
    return []
