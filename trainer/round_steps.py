"""The steps of a round that reach outside: fresh answers labelled, and measured against people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from schemas.errors import ConfigError
from schemas.events import Calibration, CandidateSet, Comparison, Completion, Event, Judgment
from schemas.records import HumanWinner, Purpose
from streams.inference.identity import folder_fingerprint
from streams.sample import SampleSettings
from trainer.anchor_wins import AnchorWins, WinRate, anchor_wins, judge_wins
from trainer.dataset import FrozenDataset
from trainer.freeze import FreezeSettings, frozen
from trainer.fresh_sets import (
    OpenPolicy,
    anchor_set,
    fresh_answers,
    in_process,
    traffic_sets,
)
from trainer.label_sample import LABELS, label_sample
from trainer.opened import opened
from trainer.prompts import Prompt, prompt_ids
from trainer.staged_log import AskedPrompt, LogValues, staged

E = TypeVar("E", bound=Event)

KeptOut = Callable[[Iterable[AskedPrompt]], frozenset[str]]
"""Which prompts of these rows measure something, or nearly repeat one that does."""


class RoundLog(Protocol):
    """Where events go and come from: the topics with their workers, or stages in this process."""

    def publish(self, events: Iterable[Event]) -> None:
        """Write events to their topics; returns when they are durable."""

    def settle(self, watch: Callable[[Mapping[str, int]], None]) -> None:
        """Return when no stage has anything pending."""

    def events(self, kind: type[E]) -> list[E]:
        """Every event of a topic so far, the first of an id only."""

    def preferences(self) -> LogValues:
        """All of them so far."""


class People(Protocol):
    """Who is asked about anchors; their labels are in the log, simulated ones marked as such."""

    def label(self, comparisons: Sequence[Comparison]) -> None:
        """Have them labelled as far as people will; returns when the labels are in the log."""

    def winners(self, comparisons: Sequence[Comparison]) -> Mapping[str, HumanWinner]:
        """What people decided, by comparison id; those that nobody decided are missing."""

    def calibrate(self, judgments: Sequence[Judgment]) -> Sequence[Calibration]:
        """The judge against people on these anchors, published: the gate reads it."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How policies are asked. ``anchors`` are prompts that measure, and are never trained on.

    ``workload_id`` is whose pairs are taken; of rlaif rows and of verdicts on anchors only those of
    ``judge_config_hash``, the judge that answers now (None: any). ``labels`` is how many of a
    policy's comparisons people are asked about at most.
    """

    workload_id: str
    sampling: SampleSettings
    temperature: float
    anchors: Sequence[Prompt]
    clock: Callable[[], datetime]
    open_policy: OpenPolicy = in_process
    judge_config_hash: str | None = None
    labels: int = LABELS


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The pairs of a round; ``unanswered`` are the prompts that the policy could not be asked, or
    answered with nothing."""

    pairs: FrozenDataset
    unanswered: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A policy's fresh answers against the reference's, and the judge's calibration on them."""

    wins: AnchorWins
    calibrations: tuple[Calibration, ...]


class RoundSteps:
    """Labels and measures policies, all against the same ``reference``."""

    def __init__(
        self,
        log: RoundLog,
        people: People,
        asking: Asking,
        reference: Path,
        watch: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._log, self._people, self._asking = log, people, asking
        self._reference, self._watch = reference, watch

    def label(self, policy: Path, prompts: Sequence[Prompt], kept_out: KeptOut) -> Labelled:
        """The pairs that the stages make of the policy's answers, with all human rows.

        All of the workload's. Machine rows of other prompts stay out, and so do what ``kept_out``
        names and the anchors: the manifest names them.
        """
        asking = self._asking
        sets = opened(
            lambda: asking.open_policy(policy),
            lambda model: traffic_sets(
                model, prompts, asking.sampling, asking.temperature, asking.clock()
            ),
        )
        self._pass_through(sets)
        with staged(self._log.preferences()) as log:
            measuring = kept_out(log.prompts(asking.workload_id))
            settings = FreezeSettings(
                workload_id=asking.workload_id,
                excluded_prompt_ids=measuring | prompt_ids(asking.anchors),
                machine_prompt_ids=prompt_ids(prompts),
                judge_config_hash=asking.judge_config_hash,
            )
            return Labelled(pairs=frozen(log, settings), unanswered=len(prompts) - len(sets))

    def measure(self, policy: Path) -> Measured:
        """Fresh answers on the anchor prompts, compared by the judge and, a sample, by people.

        Raises ``ConfigError`` where none of them can be answered.
        """
        judgments, unanswered = self._judged(policy, Purpose.ANCHOR)
        asked = label_sample(judgments, self._asking.labels)
        self._people.label(asked)
        winners = self._people.winners([judgment.comparison for judgment in judgments])
        asked_ids = {one.event_id for one in asked}
        wins = anchor_wins(judgments, winners, folder_fingerprint(policy), asked_ids)
        return Measured(
            wins=wins.model_copy(update={"unanswered": unanswered}),
            calibrations=tuple(self._people.calibrate(judgments)),
        )

    def judge_wins(self, policy: Path) -> WinRate:
        """The policy's win rate on the anchor prompts by the judge alone: a trial, so nobody is
        asked, and nothing of it waits for labels. Raises as ``measure``.
        """
        judgments, unanswered = self._judged(policy, Purpose.CANARY)
        wins = judge_wins(judgments, folder_fingerprint(policy))
        return wins.model_copy(update={"unanswered": unanswered})

    def _judged(self, policy: Path, purpose: Purpose) -> tuple[list[Judgment], int]:
        """The judge's verdicts on fresh answers, and how many prompts one of the two could not be
        asked. The log may hold others of the same policy: of another judge, or temperature."""
        now = self._asking.clock()
        # one after the other: each may have all the memory there is
        ours, reference = (self._answers(folder, now) for folder in (policy, self._reference))
        sets = [
            anchor_set(one, other, purpose)
            for one, other in zip(ours, reference, strict=True)
            if one and other
        ]
        if not sets:
            raise ConfigError(
                f"none of {len(ours)} anchor prompts can be answered by both {policy} and "
                f"{self._reference}; give some that their contexts have room for"
            )
        self._pass_through(sets)
        made = {frozenset(one.completion_id for one in each.candidates) for each in sets}
        judged = [
            one
            for one in self._log.events(Judgment)
            if one.comparison.purpose is purpose
            and frozenset(
                side.candidate.completion_id for side in (one.comparison.a, one.comparison.b)
            )
            in made
        ]
        judge = self._asking.judge_config_hash
        judgments = [one for one in judged if judge in (None, one.judge_config_hash)]
        if judged and not judgments:
            raise ConfigError(
                f"the answers of {policy} were judged, but not by the project's judge as it is now "
                f"({judge}); restart the judge's workers, and run it again"
            )
        return judgments, len(ours) - len(sets)

    def _answers(self, folder: Path, now: datetime) -> list[Completion | None]:
        asking = self._asking
        return opened(
            lambda: asking.open_policy(folder),
            lambda model: fresh_answers(
                model, asking.anchors, asking.sampling, asking.temperature, now
            ),
        )

    def _pass_through(self, sets: Sequence[CandidateSet]) -> None:
        self._log.publish(sets)
        self._log.settle(self._watch)
