"""Tests of a piece of code as they are sent to it, and what came back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from streams.verify.sandbox.plain import Packed
from streams.verify.sandbox.result import Json, QueryError

StepKind = Literal["exec", "eval", "raises"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """Python source: a statement to execute, or an expression whose value is wanted (for ``raises``
    its exception). Nothing in it may tell what is expected.
    """

    kind: StepKind
    source: str


@dataclass(frozen=True, kw_only=True)
class CodeTest:
    """Steps that share one namespace, in which ``bind`` are values by name."""

    steps: tuple[Step, ...]
    bind: Mapping[str, Json] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """As it is sent."""
        return {
            "steps": [[step.kind, step.source] for step in self.steps],
            "bind": dict(self.bind),
        }


@dataclass(frozen=True, kw_only=True)
class Output:
    """What one step gave: a packed value, or the names of the exception's classes."""

    value: Packed = None
    raised: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class TestRun:
    """Outputs of a test's steps as far as they came; ``error`` where its process was ended."""

    __test__ = False  # no test of ours, whatever its name says

    outputs: tuple[Output, ...] = ()
    error: QueryError | None = None
    duration_ms: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CodeRun:
    """One run a test, in order; ``not_loaded`` says why the code could not be loaded at all."""

    runs: tuple[TestRun, ...] = ()
    not_loaded: str | None = None
    cpu_s: float = 0.0
    peak_bytes: int = 0


def output(reply: Any) -> Output:
    """An output as the child sent it; raises ValueError, TypeError or KeyError for garbage."""
    if not isinstance(reply, dict):
        raise TypeError("an output is no object")
    if "raised" in reply:
        names = tuple(shown(name)[:100] for name in list(reply["raised"])[:50])
        return Output(raised=names or ("?",), message=shown(reply["message"])[:300])
    return Output(value=reply["value"])


def shown(value: Packed) -> str:
    """Text for a person, of any JSON however deep."""
    try:
        return str(value)
    except RecursionError:
        return "something nested too deeply to be shown"
