"""People as a round of training meets them: what they have labelled so far, whoever asked them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from consumers.calibration.calibrate import CalibrationSettings, Decide
from consumers.calibration.core import core_preferences
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.matching import human_winners
from consumers.calibration.measure_anchors import measure_anchors
from schemas.events import Calibration, Comparison, Event, Judgment, Label
from schemas.records import HumanWinner

E = TypeVar("E", bound=Event)


class EventLog(Protocol):
    """The topics, whether in Kafka or in memory."""

    def publish(self, events: Iterable[Event]) -> None:
        """Write events to their topics; returns when they are durable."""

    def events(self, kind: type[E]) -> list[E]:
        """Every event of a topic so far, the first of an id only."""


class Labellers:
    """Reads the labels of the log and measures judges by them."""

    def __init__(
        self,
        log: EventLog,
        settings: CalibrationSettings,
        decide: Decide,
        ledger: HoldoutLedger,
        waiting: Callable[[Sequence[Comparison]], None],
    ) -> None:
        """``waiting`` hears which of them nobody has decided yet."""
        self._log, self._settings, self._decide = log, settings, decide
        self._ledger, self._waiting = ledger, waiting

    def label(self, comparisons: Sequence[Comparison]) -> None:
        """Nobody is hurried: says which comparisons wait."""
        decided = self.winners(comparisons)
        self._waiting([one for one in comparisons if one.event_id not in decided])

    def winners(self, comparisons: Sequence[Comparison]) -> Mapping[str, HumanWinner]:
        """What people decided, by comparison id."""
        return human_winners(comparisons, self._log.events(Label))

    def calibrate(self, judgments: Sequence[Judgment]) -> Sequence[Calibration]:
        """The judges of these anchors against people, published with the core rows among them."""
        labels = self._log.events(Label)
        measured = measure_anchors(judgments, labels, self._settings, self._decide, self._ledger)
        rows = core_preferences([one.comparison for one in judgments], labels, self._settings)
        self._log.publish([*measured.calibrations, *rows])
        return measured.calibrations
