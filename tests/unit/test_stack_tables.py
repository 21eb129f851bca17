"""What `prefstream status` shows of a worker that is paused."""

import pytest

from cli.stack_tables import print_status
from infra.stack_status import ProcessReport, StackStatus
from infra.worker_pause import WorkerPause


def test_a_paused_worker_is_shown_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    pause = WorkerPause(reason="auth", sentence="the key is refused [401]; set another")
    judge = ProcessReport(name="worker-judge", pid=7, status="running", log="j.log", pause=pause)
    pair = ProcessReport(name="worker-pair", pid=8, status="running", log="p.log")
    status = StackStatus(
        data_dir="d",
        supervisor_pid=1,
        kafka="",
        clickhouse="",
        review="",
        problem="",
        processes=(judge, pair),
        topics=(),
        groups=(),
    )
    print_status(status)
    shown = " ".join(capsys.readouterr().out.split())
    assert "worker-judge 7 paused: auth" in shown
    assert "worker-judge is paused (auth): the key is refused [401]; set another" in shown
    assert "worker-pair 8 running" in shown
    assert status.healthy
