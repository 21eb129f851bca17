"""A judge behind the OpenAI protocol whose answers take log-normal time; for benches.

    python -m bench.judge_endpoint [--median-ms 400] [--sigma 0.5] [--seed 0] [--port 0]

The n-th request takes the n-th of a seeded sequence of latencies, and POST /reset starts the
sequence again, so that two clients that send as many requests wait for the same time in all. The
answer is always the same: 27 tokens with 8 alternatives each, as Harbor's judge gives.
"""

import argparse
import asyncio
import math
import random

from aiohttp import web

from streams.inference.chat import ChatAnswer, TokenLogprob
from streams.inference.openai_wire import chat_completion
from streams.inference.server import start_server

MODEL = "bench-judge"
_TOKENS = 27
_ALTERNATIVES = 8


def answer() -> ChatAnswer:
    """Citations for both candidates, then a clear verdict."""
    words = ["A", " R4", ":", *[" word"] * 8, " met", "\n", "B", " R4", ":", *[" word"] * 6]
    words += [" unmet", "\n", "Verdict", ":", " A"]
    assert len(words) == _TOKENS
    others = [" B", " tie", *(f" {n}" for n in range(_ALTERNATIVES - 3))]

    def token(word: str) -> TokenLogprob:
        top = {word: math.log(0.9)} | {other: math.log(0.01) for other in others}
        return TokenLogprob(token=word, logprob=math.log(0.9), top=top)

    return ChatAnswer(
        text="".join(words),
        tokens=tuple(map(token, words)),
        model=MODEL,
        input_tokens=400,
        output_tokens=_TOKENS,
    )


class Endpoint:
    """The routes, and the sequence of latencies."""

    def __init__(self, median_ms: float, sigma: float, seed: int) -> None:
        self._median_s = median_ms / 1000
        self._sigma = sigma
        self._seed = seed
        self._dice = random.Random(seed)
        self._body = chat_completion(answer(), answer_id="bench", created=0).model_dump_json()

    async def complete(self, request: web.Request) -> web.Response:
        latency_s = self._median_s * math.exp(self._sigma * self._dice.gauss(0.0, 1.0))
        await request.read()
        await asyncio.sleep(latency_s)
        return web.Response(text=self._body, content_type="application/json")

    async def reset(self, _: web.Request) -> web.Response:
        self._dice = random.Random(self._seed)
        return web.Response()


async def serve(endpoint: Endpoint, port: int) -> None:
    """Serve until killed; the address is the one line on standard output."""
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", endpoint.complete)
    app.router.add_post("/v1/reset", endpoint.reset)
    _, url = await start_server(app, "127.0.0.1", port)
    print(url, flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--median-ms", type=float, default=400.0)
    parser.add_argument("--sigma", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(serve(Endpoint(options.median_ms, options.sigma, options.seed), options.port))


if __name__ == "__main__":
    main()
