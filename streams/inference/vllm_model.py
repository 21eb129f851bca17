"""A model folder behind a vLLM of its own, for as long as it is asked."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.ports import free_port
from infra.settings import Settings
from infra.vllm import START_TIMEOUT_S, is_ready, start
from schemas.errors import Fatal, Transient
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.inference.identity import folder_fingerprint
from streams.inference.openai import OpenAIModel

# Nobody tries again here, so a busy server is waited for.
_ANSWER_S: Final = 900.0
# A server whose engine died says so to its callers before it ends itself.
_END_S: Final = 10.0


class VllmModel:
    """A ``ChatModel`` over a folder that ``save_pretrained`` wrote; closing it ends the server.

    It is served under its fingerprint, so whatever else may listen on the port, no other weights
    can answer; answers carry the folder's name and fingerprint, as those of ``InProcessModel`` do.
    """

    def __init__(self, folder: Path, settings: Settings, options: Sequence[str] = ()) -> None:
        """Start vLLM with these ``options`` and return once it is ready: minutes, on a CPU.

        Raises ``ConfigError`` where vLLM is not installed, ``Fatal`` where the folder holds no
        model, and ``ProcessFailed`` with the end of the log where the server does not come up.
        """
        self.model = folder.resolve().name
        self.fingerprint = folder_fingerprint(folder)
        port = free_port()
        self._server = start(settings, folder, name=self.fingerprint, port=port, options=options)
        try:
            self._server.wait_ready(lambda: is_ready(port), START_TIMEOUT_S)
        except BaseException:  # Ctrl-C too
            self._server.stop()
            raise
        self._endpoint = OpenAIModel(
            self.fingerprint,
            url=f"http://127.0.0.1:{port}/v1",
            api_key=settings.model_api_key,
            answer_s=_ANSWER_S,
        )

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """As ``OpenAIModel``; raises ``Fatal`` with the end of its log where the server ended."""
        try:
            answer = await self._endpoint.complete(request)
        except Transient as error:
            if (code := await asyncio.to_thread(self._exit_code)) is None:
                raise
            raise Fatal(
                f"vLLM ended by itself with exit code {code} while it served {self.model}: "
                f"{self._server.log_tail()}"
            ) from error
        return answer.model_copy(update={"model": self.model, "fingerprint": self.fingerprint})

    async def aclose(self) -> None:
        """Stop the server; returns when it and all that it started are gone."""
        await asyncio.to_thread(self._server.stop)
        await self._endpoint.aclose()

    def _exit_code(self) -> int | None:
        try:
            return self._server.wait(_END_S)
        except TimeoutError:
            return None
