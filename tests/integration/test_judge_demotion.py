"""`prefstream calibrate` on a real broker tells a real webhook of a judge that fell."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.calibrate import app
from consumers.calibration.splits import Split
from infra.publish import publish
from infra.settings import Settings
from schemas.events import Event
from schemas.records import HumanWinner, Winner
from tests.preferences import labels_of
from tests.unit.test_calibration_calibrate import anchor, judged, prompts_of
from tests.webhook_receiver import receiver

pytestmark = pytest.mark.integration

PIPELINE = "workload: shop\ngate: {statistic: point, min_anchors: 10}\n"


def anchors(prompts: list[str], *, agree: bool) -> list[Event]:
    """People take each side in turn; the judge takes theirs, or the other one."""
    found: list[Event] = []
    for n, prompt in enumerate(prompts):
        one, human = anchor(prompt), (HumanWinner.A, HumanWinner.B)[n % 2]
        winner = (Winner.A, Winner.B)[n % 2 if agree else (n + 1) % 2]
        found += [one, judged(one, winner), *labels_of(one, human)]
    return found


def test_a_judge_that_fell_is_told_once(
    log: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    prompts = prompts_of(Split.CALIBRATION, 40)

    def calibrated() -> str:
        done = CliRunner().invoke(app, ["--project", str(tmp_path)])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stderr

    with receiver(200) as (url, got):
        monkeypatch.setenv("PREFSTREAM_WEBHOOK_URL", url.get_secret_value())
        publish(log, anchors(prompts[:20], agree=True))
        calibrated()
        assert got == []
        publish(log, anchors(prompts[20:], agree=False))
        assert "is demoted" in calibrated()
        calibrated()
    (told,) = got
    assert told["kind"] == "judge_demotion"
    assert "kappa 0.0000" in str(told["text"])
