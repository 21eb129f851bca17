"""A model behind the OpenAI chat protocol: a provider's, vLLM's, or `prefstream serve`."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Final

import httpx
from pydantic import SecretStr, ValidationError

from schemas.errors import DependencyDown, Transient
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.inference.openai_errors import error_of
from streams.inference.openai_wire import ChatCompletion, request_body, token_logprobs
from streams.inference.settings import ANSWER_S, CONCURRENCY, Takes

_CONNECT_S: Final = 5.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class OpenAIModel:
    """A ``ChatModel`` at ``url``, the endpoint's address with or without its final ``/v1``.

    At most ``max_concurrency`` requests are under way, the others wait their turn. Nothing is
    retried here: the runner does, by the error that is raised (openai_errors.py).
    """

    def __init__(
        self,
        model: str,
        *,
        url: str,
        api_key: SecretStr | None = None,
        max_concurrency: int = CONCURRENCY,
        answer_s: float = ANSWER_S,
        takes: Takes | None = None,
    ) -> None:
        self.model = model
        self._takes = takes
        address = httpx.URL(url.rstrip("/"))
        if not address.path.endswith("/v1"):
            address = address.copy_with(path=f"{address.path.rstrip('/')}/v1")
        self._shown_url = str(address.copy_with(username=None, password=None, query=None))
        self._endpoint = address.copy_with(path=f"{address.path}/chat/completions")
        self._key = key = api_key.get_secret_value() if api_key else ""
        # A client with one connection for each slot: httpx's pool looks at all its connections, and
        # for each idle one at all again, at every request, which at 64 takes more than the rest.
        # Last in, first out: the connections that were used last are the likeliest to be open.
        self._clients: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        trusted = httpx.create_ssl_context()
        for _ in range(max_concurrency):
            client = httpx.AsyncClient(
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(answer_s, connect=_CONNECT_S, pool=None),
                limits=httpx.Limits(max_connections=1),
                verify=trusted,
                # a proxy from the environment is never on the way to this machine itself
                trust_env=address.host not in _LOOPBACK,
            )
            self._clients.put_nowait(client)

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The model's answer; see openai_errors.py for what is raised."""
        client = await self._clients.get()
        try:
            started = time.perf_counter()
            response = await self._post(client, request)
            latency_ms = (time.perf_counter() - started) * 1000
        finally:
            self._clients.put_nowait(client)
        if response.status_code != httpx.codes.OK:
            raise error_of(
                response.status_code,
                response.content,
                response.headers,
                model=self.model,
                url=self._shown_url,
                now=datetime.now(UTC),
                key=self._key,
            )
        try:
            completion = ChatCompletion.model_validate_json(response.content)
        except ValidationError as error:
            problem = error.errors()[0]
            raise Transient(
                f"{self._shown_url} gave no chat completion for model {self.model}: "
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            ) from None
        return _answer(completion, latency_ms)

    async def aclose(self) -> None:
        """Close the connections that no call uses."""
        while not self._clients.empty():
            await self._clients.get_nowait().aclose()

    async def _post(self, client: httpx.AsyncClient, request: ChatRequest) -> httpx.Response:
        try:
            return await client.post(
                self._endpoint, json=request_body(self.model, request, self._takes)
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise DependencyDown(
                f"{self._shown_url} cannot be reached ({type(error).__name__}); start the model "
                "server, or correct PREFSTREAM_MODEL_URL",
                reason="unreachable",
            ) from error
        except httpx.TimeoutException as error:
            raise Transient(
                f"{self._shown_url} gave no answer of model {self.model} in time "
                f"({type(error).__name__})"
            ) from error
        except httpx.TransportError as error:
            raise Transient(
                f"{self._shown_url} broke off an answer of model {self.model} "
                f"({type(error).__name__}: {error})"
            ) from error


def _answer(completion: ChatCompletion, latency_ms: float) -> ChatAnswer:
    choice, usage = completion.choices[0], completion.usage
    return ChatAnswer(
        text=choice.message.content or "",
        tokens=token_logprobs(choice.logprobs),
        model=completion.model,
        fingerprint=completion.system_fingerprint,
        finish_reason=choice.finish_reason or "stop",
        input_tokens=usage.prompt_tokens if usage else None,
        output_tokens=usage.completion_tokens if usage else None,
        latency_ms=latency_ms,
    )
