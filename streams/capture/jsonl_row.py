"""One row of an import file: a completion, or a prompt with several answers.

Every field but the prompt and the answer may be left out.

| field            | of         | meaning                                                         |
|------------------|------------|-----------------------------------------------------------------|
| ``messages``     | both       | the prompt: a list of ``{"role": ..., "content": ...}``         |
| ``prompt``       | both       | the prompt as one user message, instead of ``messages``         |
| ``output``       | completion | the answer (also ``completion`` or ``response``)                |
| ``outputs``      | set        | the answers as texts, all of them by ``model``                  |
| ``candidates``   | set        | the answers as objects: ``output`` and any answer field         |
| ``id``           | any        | what its own system calls it; without it, its place in the file |
| ``occurred_at``  | both       | ISO 8601 with a zone; without it, the file's modification time  |
| ``context``      | both       | retrieved passages: ``{"source": ..., "text": ...}``            |
| ``expectations`` | both       | how answers are checked: ``{"kind", "spec", "params"}``         |
| ``slice``        | both       | the part of the traffic that it belongs to                      |
| ``purpose``      | set        | PRODUCTION unless said otherwise                                |
| answer fields    | any answer | ``model``, ``checkpoint``, ``temperature``, ``top_p``, ``seed``,|
|                  |            | ``finish_reason``, ``input_tokens``, ``output_tokens``,         |
|                  |            | ``cost_usd``, ``latency_ms``, ``user_hash``, ``origin``,        |
|                  |            | ``tags``                                                        |
"""

from typing import Annotated

from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field

from schemas.records import Expectation, Message, Origin, Passage, Purpose, Record

OUTPUT_ALIASES = ("output", "completion", "response")

Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Amount = Annotated[float, Field(ge=0)]
ExternalId = Annotated[str, Field(min_length=1)]


class _Row(Record):
    # no coercion: "0.7" is not a number, and a file that says so is not what it seems
    model_config = ConfigDict(strict=True)


class AnswerFields(_Row):
    """Where an answer came from."""

    id: ExternalId | None = None
    model: str = Field(default="unknown", min_length=1)
    checkpoint: str | None = None
    temperature: Amount | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Long | None = None
    finish_reason: str = "stop"
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost_usd: Amount | None = None
    latency_ms: Amount | None = None
    user_hash: str | None = None
    origin: Origin = Origin.IMPORT
    tags: tuple[str, ...] = ()


class AnswerRow(AnswerFields):
    """One of the ``candidates`` of a set."""

    output: str = Field(validation_alias=AliasChoices(*OUTPUT_ALIASES))


class PromptFields(_Row):
    """What the answers of a row answer."""

    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    occurred_at: AwareDatetime | None = None
    context: tuple[Passage, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    slice: str = Field(default="default", min_length=1)

    def chat(self) -> tuple[Message, ...]:
        """The prompt as messages; empty where the row gives none or both forms."""
        if self.messages is not None:
            return () if self.prompt is not None else self.messages
        return () if self.prompt is None else (Message(role="user", content=self.prompt),)


class CompletionRow(PromptFields, AnswerRow):
    """One prompt and one answer."""


class SetRow(PromptFields):
    """One prompt and several answers: ``outputs``, or ``candidates``."""

    id: ExternalId | None = None
    model: str = Field(default="unknown", min_length=1)
    outputs: tuple[str, ...] | None = None
    candidates: tuple[AnswerRow, ...] | None = None
    purpose: Purpose = Purpose.PRODUCTION

    def answers(self) -> tuple[AnswerRow, ...]:
        """The answers in the order of the file; empty where the row gives none or both forms."""
        if self.candidates is not None:
            return () if self.outputs is not None else self.candidates
        return tuple(AnswerRow(output=text, model=self.model) for text in self.outputs or ())
