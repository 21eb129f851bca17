"""`prefstream worker`: what it says without a broker."""

import os
import subprocess
import sys
from pathlib import Path

import typer
from typer.testing import CliRunner

from cli.worker import worker


def test_help_has_examples() -> None:
    app = typer.Typer()
    app.command()(worker)
    answer = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert answer.exit_code == 0
    assert "prefstream worker verify --project" in answer.output


def test_a_registry_that_is_away_stops_the_worker_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("workload: shop\n")
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "worker", "pair", "--project", str(tmp_path)],
        env=os.environ | {"PREFSTREAM_REGISTRY_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70
    assert "schema registry at http://127.0.0.1:9 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
