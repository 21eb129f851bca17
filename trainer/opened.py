"""A model that is opened for one use and closed after it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from streams.inference.chat import ChatModel

M = TypeVar("M", bound=ChatModel)
T = TypeVar("T")


def opened(open_: Callable[[], M], use: Callable[[M], Awaitable[T]]) -> T:
    """What ``use`` makes of the model, which is closed however that ends."""
    # Before the loop runs: inside it Ctrl-C would only be seen once a server is ready.
    model = open_()

    async def in_loop() -> T:
        async with aclosing(model):
            return await use(model)

    return asyncio.run(in_loop())
