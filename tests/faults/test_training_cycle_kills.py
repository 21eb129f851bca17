"""A cycle of freezing, canary, training, saving and promoting, killed at points all over it.

The points are steps on the file system, as Python tells an audit hook of them: first one cycle is
run to count them, then others are killed, each at another one.
"""

import multiprocessing
import signal
from pathlib import Path

import pytest

from schemas.records import RunStatus
from tests.faults.tiny_cycle import PIPELINE, Cycle, rows, run_counted
from tests.promotions import cleared, trained
from tests.tiny_policy import save_tiny_policy
from trainer.dataset import load
from trainer.promotion.promote import promote

pytestmark = [pytest.mark.faults, pytest.mark.integration]

POINTS = 10
# Forked from a process that has imported everything and computed nothing: a fork of one that has
# may wait for ever for a thread of torch that is not there.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.tiny_cycle"])


def ended(cycle: Cycle, out: str, kill_at: int | None = None) -> int | None:
    """Run a cycle in a process that dies at that step; how it ended."""
    process = _FORKS.Process(target=run_counted, args=(cycle.folder, cycle.policy, out, kill_at))
    process.start()
    process.join()
    return process.exitcode


def machine(folder: Path, policy: Path) -> Cycle:
    """A machine on which an older policy serves."""
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(PIPELINE)
    cycle = Cycle(folder, policy)
    promote(cleared(trained(folder, "old")), cycle.registry)
    return cycle


def test_killed_at_any_point_nothing_is_half_and_the_next_cycle_ends_it(tmp_path: Path) -> None:
    policy = save_tiny_policy(tmp_path / "sft")
    whole = machine(tmp_path / "whole", policy)
    assert ended(whole, "new") == 0
    assert whole.serving() == whole.told()[0].run_id
    steps = int((whole.folder / "steps").read_text())
    assert steps > 4 * POINTS
    statuses: set[tuple[RunStatus, ...]] = set()
    in_canaries = 0
    for point in range(POINTS):
        cycle = machine(tmp_path / f"point-{point}", policy)
        kill_at = 1 + point * (steps - 1) // (POINTS - 1)
        assert ended(cycle, "new", kill_at) == -signal.SIGKILL
        in_canaries += (cycle.folder / ".new.canary").exists()
        told = cycle.told()
        statuses.add(tuple(run.status for run in told))
        ids = {run.run_id for run in told}
        assert len(ids) <= 1
        assert cycle.serving() in {"old-run-id", *ids}
        # a manifest that is there stands for all of its rows
        if (cycle.folder / "new.dataset" / "manifest.json").exists():
            assert len(load(cycle.folder / "new.dataset").rows) == len(rows())
        if any(run.status is RunStatus.TRAINED for run in told):
            assert (cycle.folder / "new" / "model.safetensors").exists()
            cycle.promote(told[0].run_id)
            assert cycle.serving() == told[0].run_id
        else:
            assert ended(cycle, "again") == 0
            assert cycle.told()[-1].status is RunStatus.PROMOTED
            assert cycle.serving() == cycle.told()[-1].run_id
    assert len(statuses) >= 3, statuses
    assert in_canaries >= 1
    print(f"killed at {POINTS} of {steps} steps; told by then: {sorted(statuses)}")
