"""What a judge is told by the project file: how one is asked, and who else decides."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.records import Record
from streams.judge.defences import ALL_DEFENCES, Defences

Answers = Literal["cache", "record", "replay", "live"]
PairMode = Literal["cite_then_verdict", "verdict_only"]
Mode = Literal[PairMode, "listwise"]

REFERENCE = r"^[\w.-]+/[\w.-]+$"
"""``ID/VERSION`` of a rubric, a constitution or a panel."""


class MemberSettings(Record):
    """How one judge is asked.

    | to                                        | set                                    |
    |-------------------------------------------|----------------------------------------|
    | judge by a rubric of the project          | ``rubric: harbor/1``                   |
    | judge by a constitution of the project    | ``constitution: harmless/1``           |
    | ... by three of its principles each time  | ``principles: 3``                      |
    | judge by a model folder, in this process  | ``model: path:DIR``                    |
    | judge over the OpenAI protocol            | ``model: NAME``                        |
    | take verdicts that were given before      | ``model: recorded:FILE``               |
    | save the tokens of citations              | ``mode: verdict_only``                 |
    | use an endpoint without log-probabilities | ``samples: 5``                         |
    | rank all answers of a prompt at once      | ``mode: listwise``                     |
    """

    model: str | None = None
    """``path:DIR``, ``recorded:FILE``, or a model at the configured endpoint. None: no judge."""

    rubric: str | None = Field(default=None, pattern=REFERENCE)
    """``ID/VERSION`` of the file ``rubrics/ID/VERSION.yaml``."""

    constitution: str | None = Field(default=None, pattern=REFERENCE)
    """``ID/VERSION`` of the file ``constitutions/ID/VERSION.yaml``, instead of a rubric."""

    principles: int | None = Field(default=None, ge=1)
    """How many of the constitution's principles a comparison draws, by its id. None: all."""

    mode: Mode = "cite_then_verdict"
    """Evidence first, the verdict alone, or a ranking of the whole set under rotated orders (with
    ``pair.carry_set``)."""

    samples: int = Field(default=0, ge=0, le=64)
    """Verdicts drawn in each order; they are votes, without a margin. 0: one, by probabilities."""

    temperature: float = Field(default=0.7, gt=0, le=2)
    """Of the samples."""

    max_tokens: int = Field(default=256, ge=1)
    """Room for citations and verdict, in tokens."""

    top_logprobs: int = Field(default=20, ge=0, le=20)
    """Alternatives asked for at each token; 0 for an endpoint that gives none."""

    min_captured_mass: float = Field(default=0.9, ge=0, le=1)
    """Below this P(first) + P(second) + P(tie) the answer is a format failure, never a coin."""

    show_checks: bool = False
    """Show the judge what the verifiers found, as data."""

    max_candidate_characters: int = Field(default=20_000, ge=100)
    """A longer candidate is cut in the middle; so are, each taken together, prompt and passages.

    The cut is written into the prompt, and its size into the opinion.
    """

    defences: Defences = ALL_DEFENCES

    @model_validator(mode="after")
    def _one_thing_to_go_by(self) -> Self:
        if self.rubric and self.constitution:
            raise ValueError("name a rubric or a constitution, not both; a panel can have both")
        if self.principles and not self.constitution:
            raise ValueError("principles are drawn from a constitution; name one, or leave it out")
        return self

    @model_validator(mode="after")
    def _a_ranking_is_asked_its_own_way(self) -> Self:
        if self.mode == "listwise" and (self.samples or self.show_checks):
            raise ValueError(
                "mode listwise asks once for each rotation and shows no checks; remove samples and "
                "show_checks, or choose another mode"
            )
        return self


class JudgeSettings(MemberSettings):
    """The ``judge`` section of pipeline.yaml: one judge as above, or a panel.

    | to                                        | set                                    |
    |-------------------------------------------|----------------------------------------|
    | let a panel of judges decide              | ``panel: ID/VERSION``                  |
    | let verifiers alone decide                | leave ``model`` and ``panel`` out      |
    | ask nobody, replay what was stored        | ``answers: replay``                    |
    | measure judge-verifier conflict           | ``crosscheck_share: 0.05``             |
    """

    panel: str | None = Field(default=None, pattern=REFERENCE)
    """``ID/VERSION`` of the file ``panels/ID/VERSION.yaml``; its members say how they are asked."""

    answers: Answers = "cache"
    """What the verdict store is used for; see stored.py. It changes no verdict's meaning."""

    crosscheck_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the verifier-decided comparisons that is judged too, chosen by hash of their id."""

    crosscheck_seed: int = 0
    """Another seed draws another share."""

    pre_checks: bool = True
    """Answers that say nothing lose by rule, before a judge is asked."""

    allow_same_model: bool = False
    """Let a model judge its own answers. Such verdicts are marked ``same_model``."""

    @model_validator(mode="after")
    def _panel_or_one_judge(self) -> Self:
        own = [name for name in ("model", "rubric", "constitution") if getattr(self, name)]
        if self.panel and own:
            raise ValueError(
                f"the members of panel {self.panel} say what they are; remove {' and '.join(own)}"
            )
        return self
