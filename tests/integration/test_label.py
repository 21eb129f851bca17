"""`prefstream label` as its user runs it, on a good file and on one with every kind of bad line."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.integration

BAD_LINES: list[tuple[str, bytes]] = [
    ("malformed_json", b'{"prompt": "x", '),
    ("unknown_field", b'{"prompt": "x", "output": "y", "colour": "red"}'),
    ("empty_completion", b'{"prompt": "x", "output": "  "}'),
    ("text_too_large", b'{"prompt": "x", "output": "' + b"a" * 5_000_000 + b'"}'),
    ("invalid_utf8", b'{"prompt": "x", "output": "\xff\xfe"}'),
    ("contradictory_duplicate", b'{"id": "one", "prompt": "x", "outputs": ["other"]}'),
    ("not_a_number", b'{"prompt": "x", "output": "y", "temperature": NaN}'),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE sales AS SELECT range AS n FROM range(12)")
    (folder / "pipeline.yaml").write_text(
        "workload: shop\n"
        "verify:\n"
        "  databases:\n"
        "    - {name: shop, path: shop.duckdb, dialect: duckdb}\n"
    )
    return folder


def label(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", "label", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def events(out: Path, topic: str) -> list[dict[str, Any]]:
    lines = (out / f"{topic}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_execution_decides_and_the_right_answer_is_chosen(project: Path, tmp_path: Path) -> None:
    row = {
        "prompt": "How many sales?",
        "outputs": ["SELECT count(*) FROM sales", "SELECT max(n) FROM sales"],
        "expectations": [{"kind": "GOLDEN_SQL", "spec": "SELECT count(n) FROM sales"}],
    }
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    done = label(tmp_path / "in.jsonl", "-o", tmp_path / "out", "--project", project, "--json")
    assert done.returncode == 0, done.stderr
    accounts = json.loads(done.stdout)
    assert accounts["closed"]
    assert accounts["stages"]["filter"]["out"] == 1
    (preference,) = events(tmp_path / "out", "preferences")
    assert preference["source"] == "VERIFIER"
    assert preference["chosen"][0]["content"] == "SELECT count(*) FROM sales"


def test_every_bad_line_is_a_dead_letter_and_the_rest_goes_through(
    project: Path, tmp_path: Path
) -> None:
    good = b'{"id": "one", "prompt": "x", "outputs": ["only one answer"]}'
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"\n".join([good, *(line for _, line in BAD_LINES)]) + b"\n")
    done = label(source, "-o", tmp_path / "out", "--project", project, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["closed"]
    letters = events(tmp_path / "out", "dead-letters")
    assert Counter(letter["error_class"] for letter in letters) == Counter(
        reason for reason, _ in BAD_LINES
    )
    assert [letter["offset"] for letter in letters] == list(range(2, 2 + len(BAD_LINES)))
    (discard,) = events(tmp_path / "out", "discards")
    assert (discard["stage"], discard["reason"]) == ("pair", "not_paired")
    assert "Traceback" not in done.stderr


def test_bad_configuration_and_a_missing_file_are_one_sentence(
    project: Path, tmp_path: Path
) -> None:
    missing = label(tmp_path / "none.jsonl", "-o", tmp_path / "out", "--project", project)
    assert missing.returncode == 78
    assert "none.jsonl cannot be read" in missing.stderr
    (project / "pipeline.yaml").write_text("workload: x\nfilter:\n  min_margn: 1\n")
    wrong = label(tmp_path / "in.jsonl", "-o", tmp_path / "out", "--project", project)
    assert wrong.returncode == 78
    assert "pipeline.yaml:3: unknown key filter.min_margn; did you mean min_margin?" in wrong.stderr
    assert "Traceback" not in missing.stderr + wrong.stderr


def test_the_same_file_gives_the_same_events(project: Path, tmp_path: Path) -> None:
    row = {"prompt": "x", "outputs": ["one answer", "quite another"], "slice": "s"}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    ids = []
    for out in (tmp_path / "first", tmp_path / "second"):
        assert label(tmp_path / "in.jsonl", "-o", out, "--project", project).returncode == 0
        ids.append([event["event_id"] for event in events(out, "comparisons")])
    assert ids[0] == ids[1] != []
