"""Runs and folders for the tests of promotion."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from schemas.events import Run
from schemas.records import GateResult, RunStatus, Verdict
from streams.inference.identity import folder_fingerprint
from tests.events import NOON
from tests.frozen_rows import frozen_rows
from tests.preferences import preference
from trainer.dataset import write
from trainer.promotion.candidate import Candidate, next_step

PASSED = (GateResult(name="accuracy", verdict=Verdict.PASS, value=0.02, threshold=-0.03),)
FAILED = (GateResult(name="accuracy", verdict=Verdict.FAIL, value=-0.2, threshold=-0.03),)


def run(name: str, status: RunStatus = RunStatus.TRAINED, **changes: Any) -> Run:
    """One event of the run ``name``."""
    fields: dict[str, Any] = {
        "event_id": f"{status} of {name}",
        "occurred_at": NOON,
        "workload_id": "shop",
        "config_hash": "r",
        "run_id": f"{name}-run-id",
        "status": status,
        "manifest_hash": "m",
        "algorithm": "dpo",
        "policy": "/models/sft",
    }
    return Run(**(fields | changes))


def trained(folder: Path, name: str, copies: int = 100) -> Run:
    """A run whose checkpoint (about 15 bytes a copy) and dataset are in ``folder``."""
    checkpoint = folder / name
    checkpoint.mkdir()
    (checkpoint / "model.safetensors").write_bytes(f"weights of {name}".encode() * copies)
    (checkpoint / "config.json").write_text("{}")
    rows = [preference(f"{name}-row")]
    dataset = frozen_rows(rows)
    write(dataset, folder / f"{name}.dataset")
    return run(
        name,
        manifest_hash=dataset.manifest.manifest_hash,
        checkpoint=str(checkpoint),
        fingerprint=folder_fingerprint(checkpoint),
    )


def cleared(made: Run, instead_of: Path | None = None) -> Candidate:
    """The run with gates after training that passed against what serves."""
    gated = next_step(
        made,
        RunStatus.CLEARED,
        NOON + timedelta(hours=1),
        gates=PASSED,
        policy=str(instead_of or made.policy),
        metrics_before={"accuracy": 0.6},
        metrics_after={"accuracy": 0.7},
    )
    return Candidate(trained=made, gated=gated)
