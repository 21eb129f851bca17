"""What people are told of at once, by webhook: the run events that want one. Pure."""

from pydantic import AwareDatetime

from schemas.events import Run
from schemas.records import GateResult, Record, RunStatus, Verdict
from trainer.promotion.reward_hacking import GATE as HACKING

_KINDS = {
    RunStatus.PROMOTED: "promotion",
    RunStatus.REFUSED: "refusal",
    RunStatus.WITHHELD: "refusal",
    RunStatus.FAILED: "failure",
    RunStatus.ROLLED_BACK: "demotion",
}


class Announcement(Record):
    """The body of the POST. ``gates`` are those that did not pass."""

    kind: str
    text: str
    run_id: str
    workload_id: str
    status: RunStatus
    at: AwareDatetime
    ungated: bool
    checkpoint: str
    gates: tuple[GateResult, ...]


def announcement(run: Run) -> Announcement | None:
    """The message about this event; None where nobody has to be told."""
    kind = _KINDS.get(run.status)
    if kind is None:
        return None
    against = tuple(gate for gate in run.gates if gate.verdict is not Verdict.PASS)
    if any(gate.name == HACKING and gate.verdict is Verdict.FAIL for gate in against):
        kind = "reward_hacking"
    return Announcement(
        kind=kind,
        # `text` is what chat services show.
        text=f"prefstream {run.workload_id}: {kind} of run {run.run_id[:8]}. {run.detail}".strip(),
        run_id=run.run_id,
        workload_id=run.workload_id,
        status=run.status,
        at=run.occurred_at,
        ungated=run.ungated,
        checkpoint=run.checkpoint,
        gates=against,
    )
