"""Starting a stack that stays when the command that started it has returned."""

import os
import signal
import subprocess
import sys
import time

from infra.plan import StackPlan
from infra.process import ProcessFailed
from infra.process_identity import runs
from infra.settings import Settings
from infra.stack_end import end_stack
from infra.stack_state import StackState, read_state, update_state
from infra.supervisor import FAILED

_POLL_S = 0.1
# The first start fetches Kafka's jars, over whatever network there is.
_TIMEOUT_S = 900.0


def start_in_background(settings: Settings, plan: StackPlan) -> bool:
    """Start a supervisor with this plan on the settings' data folder and wait until all of it is
    up. Where one runs already, wait for that one; its plan is not changed. True if it is new.

    Raises ``ProcessFailed`` if it does not come up. Interrupted, it stops what it started.
    """
    if _runs(read_state(settings.data_dir)):
        _await(settings, None)
        return False
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    # What an earlier failure left must not be taken for this one's.
    update_state(settings.data_dir, lambda s: s.model_copy(update={"supervisor": None}))
    with (logs / "supervisor.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "infra.supervisor"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=os.environ | settings.environment(),
            start_new_session=True,
        )
    assert child.stdin is not None
    try:
        child.stdin.write(plan.model_dump_json().encode())
        child.stdin.close()
        _await(settings, child)
    except BaseException:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.wait()
        end_stack(settings.data_dir)
        raise
    return True


def _await(settings: Settings, child: "subprocess.Popen[bytes] | None") -> None:
    log = settings.data_dir / "logs" / "supervisor.log"
    deadline_s = time.monotonic() + _TIMEOUT_S
    while True:
        ended = child is not None and child.poll() is not None
        state = read_state(settings.data_dir)
        if _runs(state) and state.ready:
            return
        if ended or (child is None and not _runs(state)):
            status = state.supervisor.status if state.supervisor else ""
            sentence = status.removeprefix(FAILED) if status.startswith(FAILED) else f"see {log}"
            raise ProcessFailed(f"the stack did not come up: {sentence}")
        if time.monotonic() > deadline_s:
            raise ProcessFailed(f"the stack was not up within {_TIMEOUT_S:g} s; see {log}")
        time.sleep(_POLL_S)


def _runs(state: StackState) -> bool:
    """Whether a supervisor (or another owner of the stack, such as the demo) runs."""
    owner = state.supervisor
    return owner is not None and runs(owner.pid, owner.started)
