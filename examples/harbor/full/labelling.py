"""Labels the two rounds of the story: production's own answers, then those of the new policy."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from consumers.calibration.holdout_ledger import HoldoutLedger, ledger_path
from examples.harbor.demo.backend import Backend
from examples.harbor.demo.benchmark import benchmark, chosen_wrong
from examples.harbor.demo.display import Display
from examples.harbor.demo.gather import gather
from examples.harbor.demo.incoming import TEMPERATURE
from examples.harbor.demo.sizes import Sizes
from examples.harbor.demo.training import Rules
from examples.harbor.demo.workspace import Workspace
from examples.harbor.evaluation_prompts import asked
from examples.harbor.full.labelled import LabelledRound, Trial, bought, margins
from examples.harbor.prompts import WORKLOAD
from examples.harbor.questions import questions
from examples.harbor.simulated_people import SimulatedLabellers, gate_reads
from schemas.events import CandidateSet, Judgment, Label, Preference
from schemas.records import PreferenceSource
from streams.inference.identity import folder_fingerprint
from trainer.dataset import FrozenDataset
from trainer.evaluate import Share
from trainer.freeze import FreezeSettings, frozen
from trainer.fresh_sets import is_of
from trainer.gate_rules import CalibrationRule
from trainer.prompts import prompt_ids
from trainer.round_steps import Asking, Measured, RoundSteps
from trainer.staged_log import staged


class StoryLabelling:
    """Runs candidate sets through the stages of the backend and freezes what comes of them."""

    def __init__(
        self,
        backend: Backend,
        workspace: Workspace,
        rules: Rules,
        sizes: Sizes,
        display: Display,
    ) -> None:
        self._backend, self._workspace, self._rules = backend, workspace, rules
        self._sizes, self._display = sizes, display
        self.ledger = HoldoutLedger(ledger_path(backend.settings))
        people = SimulatedLabellers(
            backend,
            rules.calibration,
            CalibrationRule(settings=rules.gate),
            self.ledger,
            waiting=lambda _: None,
        )
        asking = Asking(
            workload_id=WORKLOAD,
            sampling=rules.pipeline.sample,
            temperature=TEMPERATURE,
            anchors=asked(gate_reads()[: sizes.fresh_anchors]),
            clock=lambda: datetime.now(UTC),
        )
        self._steps = RoundSteps(
            backend, people, asking, workspace.checkpoints / "policy", display.lags
        )

    def first(self) -> tuple[LabelledRound, FrozenDataset, FrozenDataset]:
        """Round 1: production's answers. Also gives the pairs of it and those of thumbs."""
        began_s = time.monotonic()
        gathered = gather(self._backend, self._workspace, self._rules, self._sizes, self._display)
        excluded = gathered.measured | prompt_ids(benchmark(None))
        wanted = FreezeSettings(excluded_prompt_ids=excluded)
        only_thumbs = wanted.model_copy(update={"sources": (PreferenceSource.THUMBS,)})
        with staged(self._backend.preferences()) as log:
            pairs, thumbs = frozen(log, wanted), frozen(log, only_thumbs)
        labels = self._backend.events(Label)
        round_ = LabelledRound(
            round=1,
            counts=pairs.manifest.counts,
            margins=margins(pairs),
            chosen_wrong=self._wrong(pairs),
            thumbs_wrong=self._wrong(thumbs),
            calibrations=gathered.calibrations,
            bought=bought(
                len(_machine_rows(pairs)),
                self._backend.events(CandidateSet),
                self._backend.events(Judgment),
                labels,
                self._rules.calibration.shares,
            ),
            trials=tuple(
                Trial(
                    title=one.title,
                    verdict=one.decision.verdict,
                    why=one.why,
                    gates=one.decision.results,
                )
                for one in gathered.trials
            ),
            measured=tuple(sorted(gathered.measured)),
            seconds=time.monotonic() - began_s,
        )
        return round_, pairs, thumbs

    def next(
        self, before: LabelledRound, people_rows: Sequence[Preference], policy: Path
    ) -> tuple[LabelledRound, FrozenDataset]:
        """Another round: the judge is calibrated on the policy's answers, then labels its pairs.

        ``people_rows`` are round 1's: bought once, blended into every round.
        """
        began_s = time.monotonic()
        measured = self.measure(policy)
        # in the log already, but for stages in process that began anew
        self._backend.publish(people_rows)
        prompts = asked(questions("train")[self._sizes.of_round(before.round + 1)])
        excluded = frozenset(before.measured) | prompt_ids(benchmark(None))
        pairs = self._steps.label(policy, prompts, lambda _: excluded).pairs
        written = folder_fingerprint(policy)
        judgments = [
            one
            for one in self._backend.events(Judgment)
            if is_of(one.comparison.a.candidate, written)
            or is_of(one.comparison.b.candidate, written)
        ]
        compared = {one.comparison.event_id for one in judgments}
        round_ = LabelledRound(
            round=before.round + 1,
            counts=pairs.manifest.counts,
            margins=margins(pairs),
            chosen_wrong=self._wrong(pairs),
            calibrations=measured.calibrations,
            wins=measured.wins,
            bought=bought(
                len(_machine_rows(pairs)),
                [
                    one
                    for one in self._backend.events(CandidateSet)
                    if any(is_of(candidate, written) for candidate in one.candidates)
                ],
                judgments,
                [one for one in self._backend.events(Label) if one.comparison_id in compared],
                self._rules.calibration.shares,
            ),
            measured=before.measured,
            seconds=time.monotonic() - began_s,
        )
        return round_, pairs

    def measure(self, policy: Path) -> Measured:
        """The policy's fresh answers on anchor prompts against production's."""
        return self._steps.measure(policy)

    def _wrong(self, pairs: FrozenDataset) -> Share:
        return chosen_wrong(_machine_rows(pairs), self._workspace, self._rules.pipeline.verify)


def _machine_rows(pairs: FrozenDataset) -> tuple[Preference, ...]:
    return tuple(row for row in pairs.rows if row.source is not PreferenceSource.HUMAN)
