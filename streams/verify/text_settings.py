"""The rules of ``verify.text`` in pipeline.yaml: what an answer's text must or must not be."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from schemas.records import Record
from streams.verify.linear_pattern import LinearPattern
from streams.verify.text_language import Language

Phrases: TypeAlias = tuple[Annotated[str, Field(min_length=3)], ...]


class _Rule(Record):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    """Of the check that it makes: what events and tables show."""
    hard: bool = True
    """Whether its failure fails the answer, or is only recorded."""


class RegexRule(_Rule):
    """A pattern that is found somewhere in the answer, or nowhere.

    RE2 syntax: linear in the answer's length, and so without lookaround and back-references.
    """

    kind: Literal["regex"]
    pattern: str = Field(min_length=1, max_length=2000)
    must: Literal["match", "not_match"] = "match"

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        LinearPattern(pattern)
        return pattern


class LengthRule(_Rule):
    """How long an answer may be, both ends included."""

    kind: Literal["length"]
    unit: Literal["characters", "words"] = "characters"
    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_a_limit(self) -> "LengthRule":
        if self.min is None and self.max is None:
            raise ValueError("a length rule needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        return self


class LanguageRule(_Rule):
    """The answer is in one of these languages, as ``text_language`` guesses it."""

    kind: Literal["language"]
    languages: tuple[Language, ...] = Field(min_length=1)


class RefusalRule(_Rule):
    """The answer does not begin by refusing; ``phrases`` are added to the built-in ones."""

    kind: Literal["refusal"]
    phrases: Phrases = ()


class PromisesRule(_Rule):
    """The answer holds none of these phrases, whatever their case and spacing."""

    kind: Literal["promises"]
    phrases: Phrases = Field(min_length=1)


class SecretsRule(_Rule):
    """The answer holds no key, token or password; ``entropy``: nor what only looks random."""

    kind: Literal["secrets"]
    entropy: bool = True


class CitationsRule(_Rule):
    """What the answer quotes and cites is in the retrieved context."""

    kind: Literal["citations"]
    style: Literal["number", "source"] = "number"
    """Whether ``[2]`` cites the second passage, or ``[handbook.pdf]`` the one of that source."""
    min_quote_words: int = Field(default=4, ge=1)
    """Shorter quotations are figures of speech."""
    required: bool = False
    """An answer that quotes and cites nothing fails."""


TextRule: TypeAlias = Annotated[
    RegexRule
    | LengthRule
    | LanguageRule
    | RefusalRule
    | PromisesRule
    | SecretsRule
    | CitationsRule,
    Field(discriminator="kind"),
]
