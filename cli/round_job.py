"""From the options of `prefstream rounds` to rounds: puts the parts together."""

import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from cli.current_judge import current_judge
from cli.freezing import kept_out
from cli.judge_watch import watched
from cli.label_noise import require_number
from cli.project import Project
from cli.rewarded import rewarded, section
from cli.round_state import RoundsState, read_state, write_state
from consumers.anchors.held_out import Asked
from consumers.calibration.holdout_ledger import HoldoutLedger
from consumers.calibration.labellers import Labellers
from consumers.calibration.splits import Split, split_of
from infra.settings import Settings
from infra.topic_log import EventLog, WorkloadLog
from infra.webhook import post
from schemas.errors import ConfigError
from schemas.events import Calibration, CandidateSet, Run
from streams.verify.settings import VerifySettings
from trainer.algorithms import algorithm
from trainer.dataset import FrozenDataset
from trainer.evaluate import EvaluationSettings
from trainer.fresh_sets import OpenPolicy, in_process
from trainer.judge_demotions import judge_demotions
from trainer.label_sample import LABELS
from trainer.policy import Watch
from trainer.policy_evaluation import evaluate_model
from trainer.promotion.tell import announce
from trainer.prompts import EvaluationPrompt, Prompt
from trainer.round_loop import Rounds, run_rounds
from trainer.round_steps import Asking, RoundLog, RoundSteps
from trainer.rounds import RoundResult, withheld
from trainer.run import RunOutcome, Surroundings, TrainingPlan, run_training
from trainer.training_config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class RoundJob:
    """What the command was asked for. ``prompts`` are dealt out to the rounds, none to two.

    ``checks`` are those that held-out answers have to pass.
    """

    project: Project
    project_dir: Path
    checks: VerifySettings
    policy: Path
    out: Path
    n: int
    algorithm: str
    prompts: Sequence[Prompt]
    anchors: Sequence[Prompt]
    held_out: Sequence[EvaluationPrompt]
    temperature: float
    labels: int = LABELS
    """Of each round's comparisons people are asked about so many at most."""
    decay: float = 1.0
    """Each round learns at this share of the rate of the round before."""

    def parts(self, done: int = 0, asked: Collection[str] = ()) -> list[Sequence[Prompt]]:
        """The prompts of each round, none that was ``asked`` in those that are ``done``, which get
        none here. Raises ``ConfigError`` where a round would have none.
        """
        left, rounds = [one for one in self.prompts if one.prompt_id not in asked], self.n - done
        if len(left) < rounds:
            raise ConfigError(
                f"{len(left)} prompts that no round asked are too few for {rounds} rounds; "
                "each needs its own"
            )
        return [*[()] * done, *(left[number::rounds] for number in range(rounds))]

    def config(self) -> TrainingConfig:
        """How it trains; raises ``ConfigError`` where that cannot be known, before any work."""
        if algorithm(self.algorithm).makes != "policy":
            raise ConfigError(f"{self.algorithm} makes no policy, which is what is measured here")
        config = section(self.project, self.algorithm, self.project_dir)
        require_number(config, "`rounds` or `tune`")
        return config

    def measuring(self) -> list[Prompt]:
        """The anchor prompts of the calibration split: core ones are trained on, the holdout is
        locked. Raises ``ConfigError`` where there is none.
        """
        shares = self.project.calibration.shares
        found = [
            one for one in self.anchors if split_of(one.prompt_id, shares) is Split.CALIBRATION
        ]
        if not found:
            raise ConfigError(
                f"none of {len(self.anchors)} anchor prompts is of the calibration split; "
                "give more of them"
            )
        return found

    def kept_out(self, log: EventLog, rows: Iterable[Asked]) -> frozenset[str]:
        """See ``kept_out``, of these rows; the job's own prompts measure too."""
        prompts = [*self.measuring(), *self.held_out]
        return kept_out(log, self.project, self.project_dir, rows, prompts).prompt_ids


@dataclass(frozen=True, kw_only=True)
class RoundSurroundings:
    """What the rounds reach outside themselves."""

    topics: RoundLog
    people: Labellers
    ledger: HoldoutLedger
    pending: Callable[[Mapping[str, int]], None]
    watch: Watch
    webhook: SecretStr | None = None
    open_policy: OpenPolicy = in_process

    def own(self, job: RoundJob) -> WorkloadLog:
        """What the project's workload has in the topics."""
        return WorkloadLog(self.topics, job.project.workload)

    def tell(self, run: Run) -> None:
        """Publish the event, and post it where it wants telling."""
        self.topics.publish([run])
        announce(self.webhook, run)


def run_job(job: RoundJob, around: RoundSurroundings) -> Rounds:
    """Go on where an earlier call into the same folder stopped.

    Raises ``ConfigError`` for prompts that cannot be used, else as training and stages do.
    """
    state, own = read_state(job.out), around.own(job)
    known = {
        one.event_id: one
        for one in (
            *own.events(Calibration),
            *around.ledger.readings(),
            *state.calibrations,
        )
    }
    calibrations = list(known.values())
    config = job.config()
    parts = job.parts(len(state.done), frozenset(state.asked))
    asking = Asking(
        workload_id=job.project.workload,
        sampling=job.project.sample,
        temperature=job.temperature,
        anchors=job.measuring(),
        clock=lambda: datetime.now(UTC),
        open_policy=around.open_policy,
        judge_config_hash=current_judge(job.project, job.project_dir, Settings()),
        labels=job.labels,
    )

    def tell(results: Sequence[RoundResult]) -> None:
        made = own.events(Calibration)
        now, gate = datetime.now(UTC), job.project.gate
        for demoted in judge_demotions(known.values(), made, gate, now, around.ledger.look):
            post(around.webhook, demoted)
        known.update((one.event_id, one) for one in made)
        kept = RoundsState(results=tuple(results), calibrations=tuple(known.values()))
        asked = (one.prompt_id for part in parts[: len(kept.done)] for one in part)
        write_state(job.out, kept.model_copy(update={"asked": (*state.asked, *asked)}))

    found = run_rounds(
        parts,
        job.policy,
        RoundSteps(around.topics, around.people, asking, job.policy, around.pending),
        lambda number, pairs, policy, so_far: train_job(
            job, around, f"round-{number}", _slowed(config, job, number), pairs, policy, so_far
        ),
        calibrations,
        partial(job.kept_out, around.topics),
        state.done,
        tell,
    )
    against = withheld(found.results, around.topics.events(Run), datetime.now(UTC))
    if against is not None:
        around.tell(against)
    return found


def _slowed(config: TrainingConfig, job: RoundJob, number: int) -> TrainingConfig:
    rate = config.learning_rate * job.decay ** (number - 1)
    return config.model_copy(update={"learning_rate": rate})


def train_job(
    job: RoundJob,
    around: RoundSurroundings,
    name: str,
    config: TrainingConfig,
    pairs: FrozenDataset,
    policy: Path,
    calibrations: Sequence[Calibration],
    *,
    trial: bool = False,
) -> RunOutcome:
    """Gate, blend, train from ``policy`` and evaluate; the new policy is ``job.out / name``."""
    out = job.out / name
    dataset = out.with_name(f"{out.name}.dataset")
    # what a call that was cut short left: its round is in no state file
    for folder in (out, dataset):
        shutil.rmtree(folder, ignore_errors=True)

    return run_training(
        pairs,
        dataset,
        calibrations,
        TrainingPlan(
            workload_id=job.project.workload,
            policy_path=policy,
            out_dir=out,
            algorithm=job.algorithm,
            hyper_parameters={name: str(value) for name, value in config.model_dump().items()},
            gate=job.project.gate,
            blend=job.project.blend,
            watched=watched(around.own(job), job.project, calibrations),
            trial=trial,
        ),
        Surroundings(
            train=rewarded(
                algorithm(job.algorithm),
                config,
                job.project,
                job.project_dir,
                lambda: around.topics.events(CandidateSet),
            ),
            evaluate=(
                lambda checkpoint: evaluate_model(
                    lambda: around.open_policy(checkpoint),
                    job.held_out,
                    job.checks,
                    job.project_dir,
                    EvaluationSettings(temperature=job.temperature),
                )
            )
            if job.held_out
            else None,
            publish=around.tell,
            clock=lambda: datetime.now(UTC),
            watch=around.watch,
            looks=around.ledger.look,
        ),
    )
