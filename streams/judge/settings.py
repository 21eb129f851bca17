"""What the judge is told by the project file."""

from typing import Literal

from pydantic import Field

from schemas.records import Record

Answers = Literal["cache", "record", "replay", "live"]


class JudgeSettings(Record):
    """The ``judge`` section of pipeline.yaml.

    | to                                        | set                         |
    |-------------------------------------------|-----------------------------|
    | judge by a rubric of the project          | ``rubric: harbor/1``        |
    | judge by a model folder, in this process  | ``model: path:DIR``         |
    | judge over the OpenAI protocol            | ``model: NAME``             |
    | take verdicts that were given before      | ``model: recorded:FILE``    |
    | let verifiers alone decide                | leave ``model`` out         |
    | ask nobody, replay what was stored        | ``answers: replay``         |
    | measure judge-verifier conflict           | ``crosscheck_share: 0.05``  |
    """

    model: str | None = None
    """``path:DIR``, ``recorded:FILE``, or a model at the configured endpoint. None: no judge."""

    rubric: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    """``ID/VERSION`` of the file ``rubrics/ID/VERSION.yaml``."""

    answers: Answers = "cache"
    """What the verdict store is used for; see stored.py. It changes no verdict's meaning."""

    crosscheck_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the verifier-decided comparisons that is judged too, chosen by hash of their id."""

    crosscheck_seed: int = 0
    """Another seed draws another share."""

    max_tokens: int = Field(default=256, ge=1)
    """Room for citations and verdict, in tokens."""

    top_logprobs: int = Field(default=20, ge=0, le=20)
    """Alternatives asked for at each token; 0 for an endpoint that gives none."""

    min_captured_mass: float = Field(default=0.9, ge=0, le=1)
    """Below this P(first) + P(second) + P(tie) the answer is a format failure, never a coin."""

    show_checks: bool = False
    """Show the judge what the verifiers found, as data."""

    max_candidate_characters: int = Field(default=20_000, ge=100)
    """A longer candidate is cut in the middle, and the cut is written into the prompt."""
