"""A small OpenAI-compatible chat server over the model in this process."""

import asyncio
import hmac
import secrets
import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr, ValidationError

from schemas.errors import Fatal, Poison, PrefstreamError, Transient
from streams.inference.openai_wire import (
    ChatCompletionRequest,
    ErrorBody,
    WireError,
    chat_completion,
)

if TYPE_CHECKING:
    from streams.inference.in_process import InProcessModel

# A prompt of 1 MiB whose every character JSON escapes as \u00xx.
_MAX_BODY_BYTES: Final = 8 * 1024 * 1024


def chat_app(model: "InProcessModel", api_key: SecretStr | None = None) -> web.Application:
    """Routes POST /v1/chat/completions, GET /v1/models and GET /health.

    With a key, all but /health ask for it. Streaming and n > 1 are refused with 400.
    """
    app = web.Application(
        client_max_size=_MAX_BODY_BYTES, middlewares=[_openai_errors, _authorisation(api_key)]
    )
    service = _ChatService(model)
    app.router.add_post("/v1/chat/completions", service.complete)
    app.router.add_get("/v1/models", service.models)
    app.router.add_get("/health", _health)
    return app


async def start_server(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, str]:
    """Listen, and return the runner (``await runner.cleanup()`` ends it) and the address to use.

    Port 0 takes any free one. Raises ``Fatal`` where the address cannot be listened on.
    """
    # a caller that hangs up frees its row of the batch
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise Fatal(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another --port"
        ) from error
    bound = runner.addresses[0][1]
    return runner, f"http://{f'[{host}]' if ':' in host else host}:{bound}/v1"


class _ChatService:
    """The routes that need the model."""

    def __init__(self, model: "InProcessModel") -> None:
        self._model = model
        self._since_s = int(time.time())

    async def complete(self, request: web.Request) -> web.Response:
        try:
            asked = ChatCompletionRequest.model_validate_json(await request.read())
        except ValidationError as error:
            return _invalid(error)
        if asked.model != self._model.model:
            return _error(
                404,
                f"The model {asked.model!r} does not exist; this server has {self._model.model!r}",
                kind="invalid_request_error",
                code="model_not_found",
                param="model",
            )
        answer = await self._model.complete(
            asked.chat_request(max_tokens=self._model.context_tokens, seed=secrets.randbits(31))
        )
        completion = chat_completion(
            answer, answer_id=f"chatcmpl-{uuid4().hex}", created=int(time.time())
        )
        return web.json_response(text=completion.model_dump_json())

    async def models(self, _: web.Request) -> web.Response:
        entry = {
            "id": self._model.model,
            "object": "model",
            "created": self._since_s,
            "owned_by": "prefstream",
            "max_model_len": self._model.context_tokens,
        }
        return web.json_response({"object": "list", "data": [entry]})


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


@web.middleware
async def _openai_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure as the protocol's error body."""
    try:
        return await handler(request)
    except asyncio.CancelledError:
        raise
    except web.HTTPException as error:
        return _error(error.status, error.reason, kind="invalid_request_error")
    except Poison as error:
        return _error(400, str(error), kind="invalid_request_error")
    except (Transient, Fatal) as error:
        return _error(503, str(error), kind="server_error")
    except PrefstreamError as error:
        return _error(500, str(error), kind="server_error")


def _authorisation(api_key: SecretStr | None) -> Middleware:
    @web.middleware
    async def authorise(request: web.Request, handler: Handler) -> web.StreamResponse:
        if api_key is not None and request.path != "/health":
            wanted = f"Bearer {api_key.get_secret_value()}"
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), wanted.encode()):
                return _error(
                    401,
                    "Incorrect API key provided",
                    kind="invalid_request_error",
                    code="invalid_api_key",
                )
        return await handler(request)

    return authorise


def _invalid(error: ValidationError) -> web.Response:
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"])
    remedy = {
        "stream": "this server does not stream: leave it out or set false",
        "n": "this server gives one answer: leave it out or set 1",
    }.get(field, problem["msg"])
    return _error(400, f"{field}: {remedy}", kind="invalid_request_error", param=field)


def _error(
    status: int, message: str, *, kind: str, code: str | None = None, param: str | None = None
) -> web.Response:
    body = ErrorBody(error=WireError(message=message, type=kind, code=code, param=param))
    return web.json_response(text=body.model_dump_json(), status=status)
