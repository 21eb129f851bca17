"""What an expectation of kind NUMERIC may say besides the expected value."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from schemas.records import Record
from streams.verify.expression import Assumption
from streams.verify.number_collection import ListOrder
from streams.verify.number_quantity import DecimalMark
from streams.verify.number_text import Extraction


class NumericUnusable(ValueError):
    """The expectation itself cannot be used; the message says why."""


class NumericParams(Record):
    """The params of a NUMERIC expectation, each given as text.

    Two numbers are near where they differ by at most ``absolute`` or ``relative`` times the larger.
    """

    kind: Literal["number", "interval", "list", "expression"] = "number"
    extract: Extraction | None = None
    """Where in the answer it stands; see ``extract_number``. Where not given, a number is the last
    one, and everything else is boxed."""
    tag: str = Field(default="answer", min_length=1, max_length=40)
    """Of ``extract`` tagged."""
    relative: float = Field(default=1e-6, ge=0, lt=1)
    absolute: float = Field(default=0.0, ge=0)
    unit: str | None = None
    """The unit that the expected value is in; one that the expected value names has that effect
    too. The answer must then name this unit or one that converts to it."""
    unit_optional: bool = False
    """An answer that names no unit is taken to mean the expected one."""
    percent: Literal["fraction", "same"] = "fraction"
    """Whether 12 % is 0.12, or the sign says nothing and 12 % is 12."""
    decimal: DecimalMark = "point"
    """Which mark separates decimals; the other one groups thousands."""
    order: ListOrder = "ordered"
    """Of ``kind`` list."""
    assume: Assumption = "real"
    """Of ``kind`` expression: what its symbols stand for."""
    symbols: str = ""
    """Of ``kind`` expression: names of more than one letter, separated by commas; other words are
    products of their letters."""

    @model_validator(mode="after")
    def _one_number_is_no_collection(self) -> "NumericParams":
        if self.extract == "last_number" and self.kind != "number":
            raise ValueError(
                f"extract last_number finds no {self.kind}; use boxed, tagged or whole"
            )
        return self

    @property
    def rule(self) -> Extraction:
        """How the answer is found."""
        return self.extract or ("last_number" if self.kind == "number" else "boxed")

    @property
    def names(self) -> frozenset[str]:
        """``symbols`` one by one."""
        return frozenset(name.strip() for name in self.symbols.split(",") if name.strip())

    def near(self, one: Fraction, other: Fraction) -> bool:
        """Whether the two are the same within tolerance; exact and symmetric."""
        largest = max(abs(one), abs(other))
        return abs(one - other) <= max(Fraction(self.absolute), Fraction(self.relative) * largest)


def numeric_params(params: Mapping[str, str]) -> NumericParams:
    """Raises ``NumericUnusable``, naming the parameter."""
    try:
        return NumericParams.model_validate(dict(params))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if not name:
            raise NumericUnusable(first["msg"]) from None
        if first["type"] == "extra_forbidden":
            known = ", ".join(sorted(NumericParams.model_fields))
            raise NumericUnusable(f"unknown parameter {name}; NUMERIC takes {known}") from None
        raise NumericUnusable(
            f"the parameter {name} is {first['input']!r}: {first['msg']}"
        ) from None
