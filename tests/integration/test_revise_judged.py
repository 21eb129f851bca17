"""Critique and revise end to end with models that run: the revisions are compared and judged.

The models have random weights, so nothing here says that a revision is better than its original.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.inference_fixtures import save_tiny_model

pytestmark = pytest.mark.integration

# What random weights write may hold control characters, and lose by a pre-check with nobody asked.
PIPELINE = """\
workload: shop
sample:
  revise: {constitution: good/1, model: "path:reviser", max_tokens: 12, principles: 2}
pair: {rubric_id: good, max_pairs_per_prompt: 3}
judge: {model: "path:judge", constitution: good/1, max_tokens: 12, pre_checks: false}
"""
CONSTITUTION = """\
id: good
version: "1"
principles:
  - {id: kind, text: It is kind., critique: "Is it kind?", revise: Be kind.}
  - {id: brief, text: It is brief., critique: "Is it brief?", revise: Be brief.}
instructions: Compare.
tie_policy: Equal is a tie.
"""
# The prompts have some 1,500 characters, each a token to the tiny models.
CONTEXT_TOKENS = 8192


def model(folder: Path, seed: int) -> None:
    save_tiny_model(folder, seed)
    file = folder / "config.json"
    config = json.loads(file.read_text()) | {"max_position_embeddings": CONTEXT_TOKENS}
    file.write_text(json.dumps(config))


def rows(folder: Path, topic: str) -> list[dict[str, Any]]:
    file = folder / f"{topic}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_revisions_join_their_sets_and_are_judged_against_the_original(tmp_path: Path) -> None:
    model(tmp_path / "reviser", 0)
    model(tmp_path / "judge", 1)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "constitutions" / "good").mkdir(parents=True)
    (tmp_path / "constitutions" / "good" / "1.yaml").write_text(CONSTITUTION)
    prompts = [f"How do I return order {number}?" for number in range(3)]
    lines = [json.dumps({"prompt": p, "output": "Read the rules yourself."}) for p in prompts]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out"
    label = [sys.executable, "-m", "cli.main", "label", str(tmp_path / "in.jsonl"), "--json"]
    done = subprocess.run(
        [*label, "-o", str(out), "--project", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PREFSTREAM_DATA_DIR": str(tmp_path / "data")},
    )
    assert done.returncode == 0, done.stderr
    sets = rows(out, "samples")
    assert len(sets) == len(prompts)
    principles: dict[str, str] = {
        one["completion_id"]: one["tags"][1]
        for event in sets
        for one in event["candidates"]
        if "revised" in one["tags"]
    }
    # Random weights may write nothing, or the same again; the set then says what it went without.
    without = [event for event in rows(out, "discards") if event["stage"] == "sample"]
    assert {event["reason"] for event in without} <= {"empty_output", "duplicate_candidate"}
    lost = {one for event in without for one in event["subject_ids"]}
    assert len(principles) + len(lost) == 2 * len(prompts)
    assert set(principles.values()) == {"principle:kind", "principle:brief"}
    judged = [event for event in rows(out, "judgments") if event["opinions"]]
    compared = {
        frozenset(
            principles.get(event["comparison"][side]["candidate"]["completion_id"], "original")
            for side in "ab"
        )
        for event in judged
    }
    assert compared == {
        frozenset({"original", "principle:kind"}),
        frozenset({"original", "principle:brief"}),
        frozenset({"principle:kind", "principle:brief"}),
    }
    assert {one["order"] for event in judged for one in event["opinions"]} == {"AB", "BA"}
    assert json.loads(done.stdout)["closed"]
