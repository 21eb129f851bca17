"""A model in this process, by transformers: the backend where there is no model server."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from schemas.errors import Fatal, PrefstreamError
from schemas.records import Message
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.inference.device import Device, a_full_card_is_fatal, compute_device
from streams.inference.in_process_answer import answer
from streams.inference.in_process_batches import MicroBatches
from streams.inference.in_process_decode import Row, decode, new_row
from streams.inference.in_process_score import answer_ids, log_likelihoods
from streams.inference.in_process_weights import load_weights, use_threads

# More rows make a step dearer and hardly a token cheaper on a CPU. A card spends a small model's
# step on starting kernels, not on rows: Harbor's policy gave 27,000 tokens/s on an H100 with 430.
_MAX_BATCH: Final[Mapping[Device, int]] = {"cpu": 64, "cuda": 512}
# Callers that start together arrive within this; a step of a full batch takes 20 ms.
_LINGER_S: Final = 0.003

T = TypeVar("T")


@dataclass(kw_only=True)
class _Generation:
    request: ChatRequest
    done: Future[ChatAnswer] = field(default_factory=Future)
    since_s: float = field(default_factory=time.perf_counter)


@dataclass(kw_only=True)
class _Scoring:
    messages: Sequence[Message]
    answer: str
    done: Future[float] = field(default_factory=Future)


class InProcessModel:
    """A ``ChatModel`` over a folder that ``save_pretrained`` wrote.

    Concurrent calls share batches of up to ``max_batch`` rows on one worker thread, so the event
    loop is never blocked. The same request gives the same answer whatever else is in its batch,
    as near as float32 allows: each row has its own temperature, top-p and noise, the noise fixed
    by seed and prompt. ``max_batch`` None = 64 on a CPU, 512 on a graphics card. ``device`` None =
    as PREFSTREAM_DEVICE says. ``threads`` are torch's, for the whole process; None = one for each
    core that this process may use.

    Raises ``Fatal`` where the folder holds no model that can be loaded, and ``ConfigError`` where
    PREFSTREAM_DEVICE asks for a card and there is none.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str | None = None,
        max_batch: int | None = None,
        device: Device | None = None,
        threads: int | None = None,
    ) -> None:
        device = device or compute_device()
        self._weights = load_weights(path, device)
        self.model = name or path.resolve().name
        self.fingerprint = self._weights.fingerprint
        self.context_tokens = self._weights.context_tokens
        use_threads(threads)
        self._batches = MicroBatches[_Generation | _Scoring](
            self._run,
            name=f"model {self.model}",
            max_batch=max_batch or _MAX_BATCH[device],
            linger_s=_LINGER_S,
        )

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The model's answer. Raises ``Poison`` where the prompt fills the model's context.

        ``max_tokens`` beyond the context is cut to what is left of it; such an answer finishes
        with ``length``. A caller that is cancelled frees its row.
        """
        job = _Generation(request=request)
        return await self._finished(job, job.done)

    async def log_likelihood(self, messages: Sequence[Message], answer_text: str) -> float:
        """Natural log of the probability that the model answers exactly this, and then ends.

        The sum over the answer's tokens and the end token. Raises ``Poison`` where prompt and
        answer are longer than the model's context.
        """
        job = _Scoring(messages=messages, answer=answer_text)
        return await self._finished(job, job.done)

    async def aclose(self) -> None:
        """Answer what is queued, then end the worker thread."""
        await asyncio.to_thread(self._batches.close)

    async def _finished(self, job: "_Generation | _Scoring", done: Future[T]) -> T:
        if not self._batches.submit(job):
            raise Fatal(f"model {self.model} has been closed; open it again")
        return await asyncio.wrap_future(done)

    def _run(self, jobs: list["_Generation | _Scoring"]) -> None:
        try:
            with a_full_card_is_fatal(
                f"model {self.model}, {len(jobs)} requests at once",
                "ask for fewer at once (worker --concurrency, serve --max-batch)",
            ):
                self._score([job for job in jobs if isinstance(job, _Scoring)])
                self._generate([job for job in jobs if isinstance(job, _Generation)])
        except BaseException as error:  # the callers wait: whatever it is, they must hear of it
            for job in jobs:
                _fail(job.done, error)

    def _generate(self, jobs: list[_Generation]) -> None:
        waiting: dict[int, tuple[Row, _Generation]] = {}
        for job in jobs:
            try:
                row = new_row(self._weights, job.request, job.done.cancelled)
            except PrefstreamError as error:
                _fail(job.done, error)
            else:
                waiting[id(row)] = row, job

        def deliver(row: Row) -> None:
            job = waiting[id(row)][1]
            latency_ms = (time.perf_counter() - job.since_s) * 1000
            _succeed(job.done, answer(row, self._weights, model=self.model, latency_ms=latency_ms))

        if waiting:
            decode(self._weights, [row for row, _ in waiting.values()], deliver)

    def _score(self, jobs: list[_Scoring]) -> None:
        scored: list[tuple[_Scoring, tuple[list[int], list[int]]]] = []
        for job in jobs:
            try:
                scored.append((job, answer_ids(self._weights, job.messages, job.answer)))
            except PrefstreamError as error:
                _fail(job.done, error)
        if scored:
            sums = log_likelihoods(self._weights, [ids for _, ids in scored])
            for (job, _), value in zip(scored, sums, strict=True):
                _succeed(job.done, value)


def _succeed(done: Future[T], result: T) -> None:
    try:
        done.set_result(result)
    except InvalidStateError:  # cancelled meanwhile: nobody waits
        return


def _fail(done: Future[ChatAnswer] | Future[float], error: BaseException) -> None:
    try:
        done.set_exception(error)
    except InvalidStateError:  # answered or cancelled before the rest of its batch failed
        return
