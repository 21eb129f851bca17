"""Recorded judges before the gate: who passes may not change unseen."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.llmbar_data import DATA
from bench.llmbar_gate import judge_rows, reason_counts, verdict_counts

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the published judge data is not in {DATA}")
def test_which_judges_pass_and_what_stands_against_the_others() -> None:
    rows = judge_rows(DATA)
    assert verdict_counts(rows) == {
        "CaseStudy": {"FAIL": 29, "PASS": 1},
        "LLMBar": {"FAIL": 53, "INCONCLUSIVE": 9, "PASS": 3},
        "Processed": {"FAIL": 8},
    }
    assert reason_counts(rows) == {
        "kappa FAIL, coverage FAIL": 37,
        "kappa FAIL, coverage FAIL, length_slope FAIL": 26,
        "kappa FAIL, coverage FAIL, length_slope INCONCLUSIVE": 15,
        "kappa INCONCLUSIVE": 9,
        "kappa FAIL": 5,
        "anchors INCONCLUSIVE, kappa FAIL, coverage FAIL": 5,
        "none": 4,
        "kappa INCONCLUSIVE, coverage FAIL": 2,
    }
    passed = {row.judge for row in rows if row.verdict == "PASS"}
    assert passed == {
        "GPT-4 Metrics_Reference",
        "GPT-4 Rating_Reference",
        "GPT-4 Rating_Metrics_Reference",
    }
    # of a judge that the calibration split does not let pass, nobody ever read the holdout
    read = {(row.collection, row.judge) for row in rows if row.holdout_n is not None}
    assert read == {("LLMBar", judge) for judge in passed}


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.llmbar_gate", "--data", str(tmp_path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "skipped: the published verdicts are not in" in done.stderr
