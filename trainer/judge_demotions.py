"""Judges that new calibrations demote: known once that is measured, whatever trains. Pure."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime

from schemas.events import Calibration
from schemas.records import GateResult, PreferenceSource, Record, Verdict
from trainer.gate import gate
from trainer.gate_settings import GateSettings
from trainer.kappa_rule import Looks


class JudgeDemotion(Record):
    """The body of the POST. ``gates`` are those that did not pass; ``text`` is what chats show."""

    kind: str = "judge_demotion"
    text: str
    workload_id: str
    judge_config_hash: str
    at: AwareDatetime
    gates: tuple[GateResult, ...]


def judge_demotions(
    known: Iterable[Calibration],
    made: Iterable[Calibration],
    settings: GateSettings,
    now: datetime,
    looks: Looks,
) -> list[JudgeDemotion]:
    """The judges that stood promoted by what was known and fail by what was ``made`` since.

    What is made again, under the ids that it had, demotes nobody twice.
    """
    every = {one.event_id: one for one in known}
    fresh = [one for one in made if one.event_id not in every]
    every |= {one.event_id: one for one in fresh}
    found = []
    for judge, workload in sorted({(one.judge_config_hash, one.workload_id) for one in fresh}):
        rows = {PreferenceSource.RLAIF: [judge]}
        decision = gate(rows, every.values(), settings, now, looks=looks)
        if judge in decision.demoted:
            failed = tuple(one for one in decision.results if one.verdict is not Verdict.PASS)
            why = "; ".join(f"{one.name}: {one.detail}" for one in failed)
            found.append(
                JudgeDemotion(
                    text=f"prefstream {workload}: judge {judge} is demoted. {why}",
                    workload_id=workload,
                    judge_config_hash=judge,
                    at=now,
                    gates=failed,
                )
            )
    return found
