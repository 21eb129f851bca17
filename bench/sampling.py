"""Tokens a second of a policy's answers: in this process, and from a server of the same weights.

    python -m bench.sampling [--policy DIR] [--prompts 430] [--json]
    python -m bench.sampling --url http://127.0.0.1:8000/v1 --model policy

Harbor's benchmark questions, each asked once at a temperature of 0.7 for at most 192 tokens, all
at once (a server: 256 in flight). Where there is a graphics card the same is done on the processor
beside it. ``--url`` is what `prefstream vllm up DIR --name policy` serves; its rate stands beside
the one in process.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from examples.harbor.demo.benchmark import benchmark
from examples.harbor.policy import CHECKPOINT
from streams.inference.chat import ChatModel, ChatRequest
from streams.inference.in_process import InProcessModel
from streams.inference.openai import OpenAIModel

_IN_FLIGHT = 256
_WARM = 16


def measure(policy: Path, prompts: int, url: str | None, model: str) -> dict[str, float]:
    """Answers and their tokens a second, of each backend."""
    requests = [
        ChatRequest(messages=one.messages, temperature=0.7, max_tokens=192, seed=seed)
        for seed, one in enumerate(benchmark(prompts))
    ]
    figures: dict[str, float] = {}
    if torch.cuda.is_available():
        figures |= asyncio.run(_rates("cuda", InProcessModel(policy, device="cuda"), requests))
    figures |= asyncio.run(_rates("cpu", InProcessModel(policy, device="cpu"), requests))
    if url is not None:
        server = OpenAIModel(model, url=url, max_concurrency=_IN_FLIGHT, answer_s=600)
        figures |= asyncio.run(_rates("server", server, requests))
        here = figures.get("cuda_tokens_per_s", figures["cpu_tokens_per_s"])
        figures["server_over_in_process"] = figures["server_tokens_per_s"] / here
    return figures


async def _rates(
    name: str, model: InProcessModel | OpenAIModel, requests: Sequence[ChatRequest]
) -> dict[str, float]:
    try:
        await _tokens(model, requests[:_WARM])
        begin = time.perf_counter()
        tokens = await _tokens(model, requests)
        taken_s = time.perf_counter() - begin
    finally:
        await model.aclose()
    return {
        f"{name}_answers_per_s": len(requests) / taken_s,
        f"{name}_tokens_per_s": tokens / taken_s,
    }


async def _tokens(model: ChatModel, requests: Sequence[ChatRequest]) -> int:
    answers = await asyncio.gather(*(model.complete(one) for one in requests))
    return sum(one.output_tokens or 0 for one in answers)


def main() -> None:
    """Measure and print, one figure a line or one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--policy", type=Path, default=CHECKPOINT)
    parser.add_argument("--prompts", type=int, default=430)
    parser.add_argument("--url")
    parser.add_argument("--model", default="policy")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.policy, options.prompts, options.url, options.model)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28}{value:12,.3f}")


if __name__ == "__main__":
    main()
