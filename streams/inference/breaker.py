"""A model whose server is taken for down after several requests in a row have failed.

One request that fails again and again is that request's own trouble, and ends as a dead letter.
Several different ones that fail with no success between them are the server's: then the runner
pauses its intake and asks with one event at a time (runner/intake.py), so nothing is lost.
"""

from typing import Final

from schemas.errors import DependencyDown, Poison, Transient
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest

# Two comparisons in both orders, and one more.
FAILURES: Final = 5


class CircuitBreaker:
    """A ``ChatModel`` that raises ``DependencyDown`` (failing) for the ``Transient`` of ``inner``
    once ``failures`` different requests have failed since its last answer. Owns ``inner``.
    """

    def __init__(self, inner: ChatModel, *, failures: int = FAILURES) -> None:
        self.model = inner.model
        self._inner = inner
        self._failures = failures
        self._failed: set[ChatRequest] = set()

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The answer; raises what ``inner`` raises, or ``DependencyDown`` in its place."""
        try:
            answer = await self._inner.complete(request)
        except DependencyDown:
            raise
        except Transient as error:
            if len(self._failed) < self._failures:
                self._failed.add(request)
            if len(self._failed) < self._failures:
                raise
            raise DependencyDown(
                f"{self._failures} requests in a row have failed, the last one so: {error}",
                reason="failing",
                retry_after_s=error.retry_after_s,
            ) from error
        except Poison:  # a refusal is an answer: the server is there
            self._failed.clear()
            raise
        self._failed.clear()
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()
