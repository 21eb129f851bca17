"""A model that answers under its own name."""

import re

from schemas.errors import DependencyDown
from streams.inference.chat import ChatAnswer, ChatModel, ChatRequest


def is_version_of(answered: str, asked: str) -> bool:
    """Whether an endpoint that answers so has the model that was asked for.

    Equal, a dated or tagged version of it (``NAME-2024-07-18``, ``NAME:free``, ``NAME@1``, any of
    them for ``NAME-latest``), or the same behind another path (``org/NAME`` and ``NAME``).
    """
    answered, asked = (name.casefold().rpartition("/")[2] for name in (answered, asked))
    name = re.escape(asked.removesuffix("-latest"))
    return re.fullmatch(rf"{name}(-latest|-\d[\d.-]*|[:@][\w.-]+)?", answered) is not None


class NamedModel:
    """A ``ChatModel`` that refuses the answer of another model than ``expected``.

    Another model is another judge: its verdicts under this one's config_hash would be wrong. The
    version that answered stands on the answer. Owns ``inner``.
    """

    def __init__(self, inner: ChatModel, expected: str | None = None) -> None:
        """``expected`` None: the name that is asked for."""
        self.model = inner.model
        self._inner = inner
        self._expected = expected or inner.model

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """The answer; raises ``DependencyDown`` (wrong_model) where another model gave it."""
        answer = await self._inner.complete(request)
        if not is_version_of(answer.model, self._expected):
            raise DependencyDown(
                f"model {self._expected} was asked and {answer.model} answered; correct the name "
                "or the endpoint, or, if it is the same model, write inference: {answers_as: "
                f"{{{self.model}: {answer.model}}}}} in pipeline.yaml",
                reason="wrong_model",
            )
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()
