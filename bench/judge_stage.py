"""Comparisons a second through the judge stage on Kafka, beside a bare client at one endpoint.

    python -m bench.judge_stage [--comparisons 2000] [--in-flight 64] [--median-ms 400] [--json]
    python -m bench.judge_stage --url http://127.0.0.1:8000/v1 --model judge

Starts a Kafka node, an OpenAI-protocol server with log-normal latency (bench/judge_endpoint.py)
and one `prefstream worker judge` as a project configures it, verdict store included. The reference
in the same run is 64 asyncio tasks that post the same prompts with httpx to the same server and
throw the answers away, before the worker and after it: the quicker one counts, as a server may keep
prefixes that it has seen. Rates lie between the 5th and 95th hundredth of the answers. ``--url``
takes a server that is there (vLLM, say) instead: on the same machine give it cores of its own
(taskset), or worker and broker take its time.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench.judge_endpoint import MODEL
from bench.stage_stream import feed, rate, times_ms
from infra.kafka import bootstrap, ensure_topics
from infra.settings import Settings
from infra.stack import Stack
from schemas.events import Comparison
from schemas.records import (
    Candidate,
    Message,
    Order,
    Outcome,
    Purpose,
    VerifiedCandidate,
    VerifierWinner,
)
from streams.inference.chat import ChatRequest
from streams.inference.openai_wire import request_body
from streams.judge.prompt import render_prompt
from streams.judge.rubric import load_rubric

_RUBRIC = "bench/1"
_MAX_TOKENS, _TOP_LOGPROBS = 40, 8
_PIPELINE = f"""\
pair: {{{{rubric_id: {_RUBRIC}}}}}
judge:
  model: openai:{{model}}
  rubric: {_RUBRIC}
  max_tokens: {_MAX_TOKENS}
  top_logprobs: {_TOP_LOGPROBS}
inference: {{{{concurrency: {{in_flight}}}}}}
"""
_RUBRIC_FILE = """\
id: bench
version: "1"
criteria:
  - {id: R4, text: The explanation is faithful to the SQL., decided_by: judge}
instructions: Compare what each query does with what its own explanation says.
tie_policy: Equal is a tie.
"""


def sample_comparison(n: int) -> Comparison:
    """Two short SQL answers with explanations, as Harbor's policy writes them."""

    def side(name: str, year: int) -> VerifiedCandidate:
        output = (
            f"SELECT sum(amount) FROM v_revenue_daily WHERE region = 'north' AND year = {year}\n"
            f"This sums the revenue of the region north in the year {year + n % 2}."
        )
        return VerifiedCandidate(
            candidate=Candidate(completion_id=f"{n}-{name}", output=output, model="policy"),
            outcome=Outcome.PASSED,
        )

    return Comparison(
        event_id=f"comparison-{n}",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        workload_id="bench",
        config_hash="",
        source_ids=(f"verification-{n}",),
        prompt_id=f"prompt-{n}",
        messages=(Message(role="user", content=f"How much revenue did the north make? ({n})"),),
        purpose=Purpose.PRODUCTION,
        a=side("a", 2024),
        b=side("b", 2025),
        verifier_winner=VerifierWinner.NONE,
        rubric_id=_RUBRIC,
    )


def write_project(folder: Path, model: str, in_flight: int) -> None:
    """A project with nothing but this judge."""
    (folder / "rubrics" / "bench").mkdir(parents=True)
    (folder / "rubrics" / "bench" / "1.yaml").write_text(_RUBRIC_FILE)
    (folder / "pipeline.yaml").write_text(_PIPELINE.format(model=model, in_flight=in_flight))


async def bare_client(
    url: str, model: str, project: Path, comparisons: int, in_flight: int
) -> float:
    """Answers a second of tasks that do nothing but ask."""
    rubric = load_rubric(project, _RUBRIC)
    bodies = iter(
        [
            request_body(
                model,
                ChatRequest(
                    messages=render_prompt(
                        sample_comparison(n), rubric, order, max_candidate_characters=20_000
                    ).messages,
                    max_tokens=_MAX_TOKENS,
                    top_logprobs=_TOP_LOGPROBS,
                ),
            )
            for n in range(comparisons)
            for order in Order
        ]
    )
    moments: list[float] = []
    limits = httpx.Limits(max_connections=in_flight)
    async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:

        async def ask() -> None:
            for body in bodies:
                (await client.post(f"{url}/chat/completions", json=body)).raise_for_status()
                moments.append(time.perf_counter() * 1000)

        await asyncio.gather(*(ask() for _ in range(in_flight)))
    return rate(moments)


def through_worker(settings: Settings, project: Path, url: str, comparisons: int) -> float:
    """Comparisons a second of one worker process, two answers each."""
    command = [sys.executable, "-m", "cli.main", "worker", "judge", "--project", str(project)]
    environment = os.environ | settings.model_copy(update={"model_url": url}).environment()
    with subprocess.Popen([*command, "--instance", "bench"], env=environment) as worker:
        try:
            moments = list(times_ms(settings, "judgments", comparisons))
        finally:
            worker.terminate()
    if len(moments) < comparisons:
        raise SystemExit(f"only {len(moments)} of {comparisons} came through")
    return rate(moments)


@contextmanager
def endpoint(url: str | None, median_ms: float) -> Iterator[str]:
    """The address of the server that is there, or of one of our own."""
    if url is not None:
        yield url
        return
    command = [sys.executable, "-m", "bench.judge_endpoint", "--median-ms", str(median_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def measure(
    url: str | None, model: str, comparisons: int, in_flight: int, median_ms: float
) -> dict[str, float]:
    """Both rates on one Kafka node and one model server, in answers a second."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Settings(data_dir=Path(folder) / "data")) as stack,
        endpoint(url, median_ms) as address,
    ):
        stack.start_kafka()
        settings = stack.settings.model_copy(
            update={"bootstrap_servers": bootstrap(stack.settings)}
        )
        ensure_topics(settings)
        project = Path(folder) / "project"
        write_project(project, model, in_flight)
        feed(settings, map(sample_comparison, range(comparisons)))

        def ask() -> float:
            return asyncio.run(bare_client(address, model, project, comparisons, in_flight))

        def same_delays() -> None:
            if url is None:
                httpx.post(f"{address}/reset", trust_env=False).raise_for_status()

        before = ask()
        same_delays()
        worker = 2 * through_worker(settings, project, address, comparisons)
        same_delays()
        bare = max(before, ask())
    return {
        "bare_calls_per_s": bare,
        "worker_calls_per_s": worker,
        "worker_over_bare": worker / bare,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--comparisons", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--median-ms", type=float, default=400.0)
    parser.add_argument("--url")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(
        options.url, options.model, options.comparisons, options.in_flight, options.median_ms
    )
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:20}{value:12,.3f}")


if __name__ == "__main__":
    main()
