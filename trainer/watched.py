"""What was seen of judges and policies since the calibration, outside the trainer. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas.events import Calibration, Run
from schemas.records import GateResult, RunStatus, Verdict
from trainer.gate_settings import GateSettings


@dataclass(frozen=True, kw_only=True)
class Watched:
    """``by_judge`` are gates that others decided (drift, fingerprint), by judge_config_hash.

    ``promoted`` is the promotion of the policy that serves: a judge is calibrated on the outputs
    that it sees.
    """

    by_judge: Mapping[str, tuple[GateResult, ...]] = field(default_factory=dict)
    promoted: Run | None = None


NOTHING = Watched()


def serving(runs: Iterable[Run]) -> Run | None:
    """The promotion by which today's policy serves: each way back takes the last one away.

    None where no policy was promoted, or every promotion was taken back. What was told twice counts
    once.
    """
    once = {run.event_id: run for run in runs}
    stack: list[Run] = []
    for run in sorted(once.values(), key=lambda one: (one.occurred_at, one.event_id)):
        if run.status is RunStatus.PROMOTED:
            stack.append(run)
        elif run.status is RunStatus.ROLLED_BACK and stack and stack[-1].run_id == run.run_id:
            stack.pop()
    return stack[-1] if stack else None


def policy_gate(calibration: Calibration, promoted: Run, settings: GateSettings) -> GateResult:
    """Whether enough anchors hold answers of the promoted policy, by fingerprint or folder.

    INCONCLUSIVE where they do not: its answers may be of a kind that the judge was never
    measured on.
    """
    names = {promoted.fingerprint, promoted.checkpoint, promoted.checkpoint.rsplit("/", 1)[-1]}
    n = sum(count for name, count in calibration.checkpoints.items() if name and name in names)
    fresh = n >= settings.min_policy_anchors
    shown = promoted.checkpoint or promoted.fingerprint or promoted.run_id
    return GateResult(
        name="policy_anchors",
        verdict=Verdict.PASS if fresh else Verdict.INCONCLUSIVE,
        value=n,
        threshold=settings.min_policy_anchors,
        detail=f"anchors of {shown}, promoted {promoted.occurred_at:%Y-%m-%d}"
        + ("" if fresh else f"; draw fresh ones with `{_command(promoted)}` and label them"),
    )


def _command(promoted: Run) -> str:
    named = f" --checkpoint {promoted.fingerprint}" if promoted.fingerprint else ""
    return f"prefstream anchors create --n 60{named}"
