"""A process killed while it writes the ledger: what it said it had written is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from consumers.calibration.holdout_ledger import HoldoutLedger, Look

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
KILLS = 8
WRITER = """
import sys
from pathlib import Path
from consumers.calibration.holdout_ledger import HoldoutLedger
from tests.preferences import calibration
ledger = HoldoutLedger(Path(sys.argv[1]))
for n in range(100_000):
    print(ledger.look(calibration(event_id=f"{sys.argv[2]}-{n}")).calibration_id, flush=True)
"""


def test_what_was_acknowledged_survives_every_kill(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    acknowledged: list[str] = []
    for kill in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(path), str(kill)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            # another number of rows each time, so that the kill falls in another place
            acknowledged += [writer.stdout.readline().strip() for _ in range(3 + kill)]
            writer.kill()
            acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
        looks = [one for one in HoldoutLedger(path).entries() if isinstance(one, Look)]
        assert [one.look for one in looks] == list(range(1, len(looks) + 1))
        written = [one.calibration_id for one in looks]
        assert set(acknowledged) <= set(written)
        assert len(written) <= len(acknowledged) + kill + 1
