"""The trainer's loop: lead, look, decide, and mind the training that runs as a child."""

import logging
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.current_judge import CURRENT, current_judge
from cli.leased_training import LeasedTraining
from cli.project import Project, load_project
from cli.promotion import registry_of
from cli.trained_folders import remove_spent, trained_dir, training_name
from consumers.trigger.decide import Decision, decide
from consumers.trigger.history import (
    LOST,
    before,
    consumed,
    decided,
    missing_ends,
    unpromoted,
)
from consumers.trigger.watch import Watch
from infra.leadership import LEASE_S, Leadership
from infra.lease import EXIT_CODE as LEASE_OVER
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.errors import Transient
from schemas.events import TOPICS, Run
from schemas.records import OffsetRange, RunStatus
from trainer.log_slice import read_runs
from trainer.promotion.model_registry import Fenced
from trainer.promotion.settings import switched_off
from trainer.promotion.tell import tell

GROUP = "prefstream.trainer"
"""With the workload behind it: trainers of one lead by turns, and those of others beside them."""

_log = logging.getLogger("prefstream.trainer")
_TURN_S = 1.0


@dataclass(frozen=True, kw_only=True)
class TrainerOptions:
    """What every training starts from, how it trains, and how often to look.

    All pairs are trained on from the same start: none counts twice in one policy.
    """

    project_dir: Path
    policy: Path
    algorithm: str
    every_s: float


class TrainerLoop:
    """One candidate for the trainer that leads its workload.

    A training is a process of its own that lives by a lease: it ends when this process does, when
    the broker does not confirm the leadership for ``LEASE_S``, or when both are cut off from it.
    """

    def __init__(self, settings: Settings, project: Project, options: TrainerOptions) -> None:
        self._settings, self._project, self._options = settings, project, options
        self._registry = registry_of(settings)
        self._stopped = False
        self._epoch: int | None = None
        self._due_since: datetime | None = None
        self._watch: tuple[tuple[OffsetRange, ...], Watch] | None = None
        self._training: LeasedTraining | None = None
        self._look_at_s = 0.0

    def stop(self) -> None:
        """End after this turn."""
        self._stopped = True

    def run(self) -> None:
        """Until ``stop``; what is down is waited for, what is misconfigured is raised."""
        project = self._project
        for what, setting in switched_off(project.canary, project.promotion.shadow).items():
            _log.warning(f"the {what} is off", extra={"turned_off_by": f"{setting}: 0"})
        self._registry.require(project.workload)
        leadership = Leadership(self._settings, f"{GROUP}.{project.workload}", TOPICS[Run])
        try:
            while not self._stopped:
                try:
                    self._turn(leadership)
                except Transient as error:
                    _log.warning("waiting", extra={"reason": str(error)})
                except Fenced as error:
                    self._stand_down(str(error))
        finally:
            self._stand_down("stopped")
            leadership.close()

    def _turn(self, leadership: Leadership) -> None:
        if not leadership.poll(_TURN_S if self._epoch is None else _TURN_S / 2):
            self._stand_down("another trainer leads")
        elif self._epoch is None:
            self._take_over(leadership)
        elif self._training is not None:
            if leadership.confirm():
                self._training.renew()
            if self._training.ended():
                self._finish(self._training, self._epoch)
                self._training = None
        elif time.monotonic() >= self._look_at_s:
            self._look_at_s = time.monotonic() + self._options.every_s
            self._look(leadership, self._epoch)

    def _take_over(self, leadership: Leadership) -> None:
        """Begin a term. Its epoch is the offset of the event that says so: it only ever grows, and
        the confirmation after it shows that no later leader can have a smaller one."""
        rates = self._watching(()).rates()
        leading = decided(
            self._project.workload,
            RunStatus.LEADING,
            _now(),
            rates=rates,
            detail=f"trainer {os.uname().nodename}:{os.getpid()} leads",
        )
        tell(self._settings, leading)
        epoch = self._offset(leading.event_id)
        if epoch is None or not leadership.confirm():
            return
        self._registry.claim(epoch, self._project.workload)
        self._tell_ends(epoch, LOST)
        self._epoch, self._look_at_s, self._watch = epoch, 0.0, None
        _log.info("leading", extra={"epoch": epoch})

    def _stand_down(self, why: str) -> None:
        if self._training is not None:
            self._training.kill()
            self._training = None
        if self._epoch is not None:
            _log.info("not leading", extra={"epoch": self._epoch, "reason": why})
        self._epoch = self._due_since = self._watch = None

    def _look(self, leadership: Leadership, epoch: int) -> None:
        runs = read_runs(self._settings, self._project.workload)
        if stopped := unpromoted(runs, epoch):
            if leadership.confirm():
                self._training = self._promotion(stopped, epoch)
            return
        read_before = consumed(runs)
        if self._watch is None or self._watch[0] != read_before:
            self._watch = read_before, self._watching(read_before)
        seen, ranges = self._watch[1].look()
        decision = decide(seen, before(runs), self._project.trigger, _now(), self._due_since)
        self._due_since = decision.due_since
        if not decision.train:
            if self._is_news(decision, runs):
                self._tell(RunStatus.WAITED, decision, epoch)
            return
        if not leadership.confirm():
            return
        self._due_since = None
        keep, start = self._project.trigger.keep_trainings, self._options.policy
        remove_spent(self._settings, runs, self._registry, start, keep)
        told = decided(
            self._project.workload,
            RunStatus.TRIGGERED,
            _now(),
            decision=decision,
            rates=seen.rates,
            rubrics=seen.rubrics,
            ranges=ranges,
            epoch=epoch,
        )
        tell(self._settings, told)
        command = self._command(epoch, told)
        self._training = LeasedTraining(self._settings, command, told, training_name(told))

    def _promotion(self, stopped: Run, epoch: int) -> LeasedTraining:
        """What is left of a training that broke off after its policy was made."""
        _log.info("promoting what was trained", extra={"run_id": stopped.run_id})
        command = [sys.executable, "-m", "cli.main", "promote", stopped.run_id]
        command += ["--project", str(self._options.project_dir), *_term(epoch)]
        name = f"{Path(stopped.checkpoint).name}.promote-{epoch}"
        return LeasedTraining(self._settings, command, stopped, name)

    def _watching(self, consumed: tuple[OffsetRange, ...]) -> Watch:
        project = self._project
        return Watch(
            self._settings, project.workload, project.trigger, consumed, self._current_judge
        )

    def _current_judge(self) -> str | None:
        """The judge that a training would take the pairs of: the project may have changed."""
        folder = self._options.project_dir
        return current_judge(load_project(folder), folder, self._settings)

    def _tell(self, status: RunStatus, decision: Decision, epoch: int) -> None:
        told = decided(self._project.workload, status, _now(), decision=decision, epoch=epoch)
        tell(self._settings, told)

    def _is_news(self, decision: Decision, runs: list[Run]) -> bool:
        """Whether the decision not to train has another reason than the last, or is due again."""
        told = [run for run in runs if run.status in (RunStatus.WAITED, RunStatus.TRIGGERED)]
        if not told or told[-1].status is RunStatus.TRIGGERED:
            return True
        again = timedelta(hours=self._project.trigger.say_again_hours)
        same = [(g.name, g.verdict) for g in told[-1].gates] == [
            (g.name, g.verdict) for g in decision.gates
        ]
        return not same or _now() - told[-1].occurred_at >= again

    def _command(self, epoch: int, told: Run) -> list[str]:
        options = self._options
        out = trained_dir(self._settings) / training_name(told)
        command = [sys.executable, "-m", "cli.main", "train", "--from-topic", "--promote"]
        command += ["--project", str(options.project_dir), "--algorithm", options.algorithm]
        command += ["--policy", str(options.policy), "--out", str(out)]
        if self._current_judge() is not None:
            # The topic keeps what former judges decided; a dataset is of one.
            command += ["--judge-config", CURRENT]
        return [*command, *_term(epoch)]

    def _finish(self, training: LeasedTraining, epoch: int) -> None:
        lease_over = training.exit_code == LEASE_OVER
        why = LOST if lease_over else training.last_words()
        self._tell_ends(epoch, why, tried=training.told.run_id)
        _log.info("training ended", extra={"exit_code": training.exit_code, "log": training.log})

    def _tell_ends(self, epoch: int, why: str, tried: str = "") -> None:
        """See to it that a training that ended without saying how has an end in the log."""
        runs = read_runs(self._settings, self._project.workload)
        for ended in missing_ends(runs, self._project.workload, epoch, _now(), why, tried):
            tell(self._settings, ended)

    def _offset(self, event_id: str) -> int | None:
        for logged in read(self._settings, snapshot(self._settings, TOPICS[Run])):
            if logged.event is not None and logged.event.event_id == event_id:
                return logged.offset
        return None


def _term(epoch: int) -> list[str]:
    return ["--epoch", str(epoch), "--lease-s", f"{LEASE_S:g}"]


def _now() -> datetime:
    return datetime.now(UTC)
