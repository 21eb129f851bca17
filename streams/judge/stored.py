"""Record and replay: a judge model whose answers are kept by the hash of their request.

| ``judge.answers`` | a stored answer | no stored answer | the new answer        |
|-------------------|-----------------|------------------|-----------------------|
| ``cache``         | is given        | the model is asked | is stored, the first stays |
| ``record``        | is not looked at | the model is asked | takes the place of the old |
| ``replay``        | is given        | ``Poison``       | –                     |
| ``live``          | is not looked at | the model is asked | is not stored       |

``cache`` and ``replay`` make a redone call say the same, and with ``cache`` the same request at the
same time is asked once. With the others an event that is processed
twice may be judged in two ways, of which the first in the log counts.
"""

import asyncio
from weakref import WeakValueDictionary

from schemas.errors import Poison
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.judge.verdict_store import VerdictStore, request_key


class StoredModel:
    """A ``ChatModel`` that stores what ``inner`` answers before anyone sees it.

    ``identity`` tells the model from all others (identity.py). ``afresh`` asks also where an
    answer is stored, and stores the new one in its place. Owns model and store, and closes both.
    """

    def __init__(
        self, inner: ChatModel, store: VerdictStore, identity: str, *, afresh: bool = False
    ) -> None:
        self.model = inner.model
        self._inner = inner
        self._store = store
        self._identity = identity
        self._afresh = afresh
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The stored answer, else the model's; raises what the model raises."""
        key = request_key(self._identity, request)
        if self._afresh:
            answer = await self._inner.complete(request)
            return await asyncio.to_thread(self._store.replace, key, answer)
        async with self._turns.setdefault(key, asyncio.Lock()):
            stored = await asyncio.to_thread(self._store.get, key)
            if stored is not None:
                return stored
            answer = await self._inner.complete(request)
            return await asyncio.to_thread(self._store.put, key, answer)

    async def aclose(self) -> None:
        await self._inner.aclose()
        self._store.close()


class ReplayedModel:
    """A ``ChatModel`` that gives what was stored and nothing else: no endpoint, no cost.

    ``model`` is the name that the recorded model had.
    """

    def __init__(self, model: str, store: VerdictStore, identity: str) -> None:
        self.model = model
        self._store = store
        self._identity = identity

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The stored answer; raises ``Poison`` where this was never asked."""
        key = request_key(self._identity, request)
        stored = await asyncio.to_thread(self._store.get, key)
        if stored is None:
            raise Poison(
                f"no answer of model {self.model} is stored for request {key[:12]}; judge.answers "
                "is replay, which asks nobody: set it to cache, or use the verdict store, the "
                "rubric and the nonce key of the recording"
            )
        return stored

    async def aclose(self) -> None:
        self._store.close()
