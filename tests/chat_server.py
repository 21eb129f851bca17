"""A real OpenAI-protocol server for tests: it answers by a model, or misbehaves as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from streams.inference.chat import ChatModel
from streams.inference.openai_wire import ChatCompletion, ChatCompletionRequest, chat_completion
from streams.inference.server import start_server

Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ChatServer:
    """Answers as ``model`` does, but the first ``times`` requests as ``misbehave`` does."""

    def __init__(
        self, model: ChatModel, misbehave: Misbehaviour | None = None, *, times: int = 0
    ) -> None:
        self.requests = 0
        self._model = model
        self._misbehave = misbehave
        self._times = times

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[str]:
        """The server's address for as long as the block lasts; port 0 takes a free one."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        runner, url = await start_server(app, "127.0.0.1", port)
        try:
            yield url
        finally:
            await runner.cleanup()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        if self._misbehave is not None and self.requests <= self._times:
            return await self._misbehave(request)
        return web.json_response(text=(await self.answer(request)).model_dump_json())

    async def answer(self, request: web.Request) -> ChatCompletion:
        """What the model says to the request."""
        asked = ChatCompletionRequest.model_validate_json(await request.read())
        answer = await self._model.complete(asked.chat_request(max_tokens=64, seed=0))
        return chat_completion(answer, answer_id="chatcmpl-1", created=0)


def status(
    code: int, body: str = "", kind: str = "application/json", **headers: str
) -> Misbehaviour:
    """An answer of this status and body."""

    async def misbehave(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, text=body, content_type=kind, headers=named)

    return misbehave


async def silence(_: web.Request) -> web.StreamResponse:
    """No answer until the caller hangs up."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def half_a_stream(request: web.Request) -> web.StreamResponse:
    """The first half of an answer, then a closed connection."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"model": "judge", "choices": [{"message": {"content": "Verd')
    assert request.transport is not None
    request.transport.close()
    return response
