"""`prefstream sample --seeds` as its user runs it: into the log, and through all stages here."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from infra.kafka import bootstrap
from infra.settings import Settings
from infra.topic_log import read, snapshot
from schemas.events import Completion
from streams.inference.server import start_server

pytestmark = pytest.mark.integration


def sample(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", "sample", *arguments, "--project", str(project)]
    variables = {"PREFSTREAM_DATA_DIR": str(project / "data")} | environment
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | variables
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.yaml").write_text(
        "workload: shop\nsample: {models: [answerer], temperatures: [0.2, 0.9]}\n"
    )
    return tmp_path


def test_the_red_team_goes_to_completions_once(fresh_broker: Settings, project: Path) -> None:
    log = {
        "PREFSTREAM_BOOTSTRAP_SERVERS": bootstrap(fresh_broker),
        "PREFSTREAM_TOPIC_PREFIX": fresh_broker.topic_prefix,
    }
    for _ in range(2):
        done = sample(project, "--seeds", "redteam", "--json", **log)
        assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    sent = [one.event for one in read(fresh_broker, snapshot(fresh_broker, "completions"))]
    first = {event.event_id: event for event in sent if isinstance(event, Completion)}
    assert len(sent) == 2 * len(first) == 2 * counts["completions"]
    assert Counter(event.slice for event in first.values()) == counts["slices"]
    assert all(name.startswith("redteam/") for name in counts["slices"])


async def test_seeds_pass_every_stage_in_their_own_slice(project: Path) -> None:
    """Answers come from a server that speaks the OpenAI protocol."""

    async def answer(request: web.Request) -> web.Response:
        asked: dict[str, Any] = await request.json()
        text = f"at {asked['temperature']}"
        choice = {"index": 0, "message": {"role": "assistant", "content": text}}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": asked["model"],
            "choices": [choice | {"finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        return web.json_response(body)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    (project / "seeds.jsonl").write_text('{"prompt": "x", "slice": "redteam/own"}\n')
    runner, url = await start_server(app, "127.0.0.1", 0)
    try:
        done = await asyncio.to_thread(
            sample,
            project,
            "--seeds",
            str(project / "seeds.jsonl"),
            "-o",
            str(project / "out"),
            PREFSTREAM_MODEL_URL=url,
        )
    finally:
        await runner.cleanup()
    assert done.returncode == 0, done.stderr
    lines = (project / "out" / "comparisons.jsonl").read_text().splitlines()
    (comparison,) = map(json.loads, lines)
    assert comparison["slice"] == "redteam/own"
    answers = {comparison[side]["candidate"]["output"] for side in "ab"}
    assert answers == {"at 0.2", "at 0.9"}


def test_a_pool_without_models_is_told(project: Path) -> None:
    (project / "pipeline.yaml").write_text("workload: shop\n")
    done = sample(project, "--seeds", "redteam")
    assert done.returncode == 78
    assert "sample.models is empty" in done.stderr
