"""A model whose answers carry their cost."""

from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest
from streams.inference.settings import Price, messages_tokens, text_tokens


class PricedModel:
    """A ``ChatModel`` that puts ``cost_usd`` on what ``inner`` answers.

    By the tokens that the endpoint counted; where it counted none, by characters. Owns ``inner``.
    """

    def __init__(self, inner: ChatModel, price: Price) -> None:
        self.model = inner.model
        self._inner = inner
        self._price = price

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The answer with its cost; raises what ``inner`` raises."""
        answer = await self._inner.complete(request)
        read, written = answer.input_tokens, answer.output_tokens
        cost_usd = self._price.cost_usd(
            messages_tokens(request.messages) if read is None else read,
            text_tokens(answer.text) if written is None else written,
        )
        return answer.model_copy(update={"cost_usd": cost_usd})

    async def aclose(self) -> None:
        await self._inner.aclose()
