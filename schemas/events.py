"""Every event of the system (design §4): one frozen model a topic.

A default stands only where "not known" is legal. Times are UTC with microseconds. Lengths are
characters unless the name says otherwise.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from schemas.records import (
    Answer,
    Candidate,
    ConfusionCell,
    Expectation,
    FeedbackKind,
    GateResult,
    HumanWinner,
    LabelRole,
    Message,
    OffsetRange,
    Opinion,
    Order,
    Passage,
    PreCheck,
    PreferenceSource,
    Purpose,
    Record,
    ReliabilityBin,
    RunStatus,
    Verdict,
    VerifiedCandidate,
    VerifierWinner,
    Winner,
)

# A longer output is not an answer anyone reads; it becomes a dead letter (design §4, sizes).
MAX_TEXT_BYTES = 1024 * 1024
# Check evidence is for people and judges to read, not a result store.
MAX_EVIDENCE_BYTES = 2048

Messages = Annotated[tuple[Message, ...], Field(min_length=1)]


class Event(Record):
    """What every event carries.

    ``occurred_at`` is event time: of a derived event, the latest of its sources. ``config_hash``
    is that of the stage configuration that made it ("" for captured events). ``source_ids`` are
    the ids of the events it was made from.
    """

    event_id: str = Field(min_length=1)
    occurred_at: AwareDatetime
    workload_id: str = Field(min_length=1)
    config_hash: str
    source_ids: tuple[str, ...] = ()


class Completion(Answer, Event):
    """One answer of a model to one prompt, as captured."""

    prompt_id: str = Field(min_length=1)
    messages: Messages
    slice: str = "default"
    context: tuple[Passage, ...] = ()
    expectations: tuple[Expectation, ...] = ()

    def candidate(self) -> Candidate:
        """The completion without its prompt, as it stands in a candidate set."""
        answer = self.model_dump(include=set(Answer.model_fields))
        return Candidate(completion_id=self.event_id, **answer)


class PromptEvent(Event):
    """What the events of the chain after capture share: the prompt and how it can be checked."""

    prompt_id: str = Field(min_length=1)
    messages: Messages
    expectations: tuple[Expectation, ...] = ()
    context: tuple[Passage, ...] = ()
    slice: str = "default"
    purpose: Purpose


class CandidateSet(PromptEvent):
    """One prompt with all its candidates: the unit that flows."""

    candidates: tuple[Candidate, ...]


class Verification(PromptEvent):
    """A candidate set with what the checks found of each candidate."""

    candidates: tuple[VerifiedCandidate, ...]


class Comparison(PromptEvent):
    """Two candidates A and B of one prompt, in a seeded random order, not yet judged.

    ``others`` are the rest of the set that did not fail, for a judge that ranks whole sets; empty
    unless the pair stage is told to carry them.
    """

    a: VerifiedCandidate
    b: VerifiedCandidate
    verifier_winner: VerifierWinner
    rubric_id: str
    others: tuple[Candidate, ...] = ()


class Judgment(Event):
    """A comparison with the opinions of the panel and the verdict over both orders.

    ``margin`` is m > 0 where A is favoured and ``position_bias`` is b, both in log-odds; None
    where no judge gave probabilities. ``agreement`` is the share of votes for the winner.
    A verifier-decided comparison passes with the verifier's winner and, unless it is
    cross-checked, without opinions. ``panel`` is the panel's ``ID/VERSION`` ("" for one judge),
    ``marks`` what a reader has to know of the verdict (docs/judging.md), ``pre_checks`` the
    rules that decided before any judge was asked.
    """

    prompt_id: str = Field(min_length=1)
    comparison: Comparison
    opinions: tuple[Opinion, ...] = ()
    winner: Winner
    margin: float | None = None
    position_bias: float | None = None
    agreement: float | None = None
    rubric_version: str
    teacher_model: str
    judge_config_hash: str
    crosscheck_winner: Winner | None = None
    panel: str = ""
    marks: tuple[str, ...] = ()
    pre_checks: tuple[PreCheck, ...] = ()


class Preference(Event):
    """One preference pair that a policy may be trained on; panel and marks as in its judgment."""

    prompt_id: str = Field(min_length=1)
    prompt: Messages
    chosen: Messages
    rejected: Messages
    chosen_id: str
    rejected_id: str
    source: PreferenceSource
    rubric_version: str
    teacher_model: str
    judge_config_hash: str
    margin: float | None = None
    agreement: float | None = None
    chosen_checks: dict[str, str] = Field(default_factory=dict)
    rejected_checks: dict[str, str] = Field(default_factory=dict)
    chosen_length: int = Field(ge=0)
    rejected_length: int = Field(ge=0)
    slice: str = "default"
    panel: str = ""
    marks: tuple[str, ...] = ()


class Feedback(Event):
    """What a person did with one completion: value is 1 or -1 for a thumb, a rating, or 1."""

    completion_id: str
    prompt_id: str
    kind: FeedbackKind
    value: float
    comment: str | None = None
    user_hash: str | None = None


class Discard(Event):
    """Something a stage decided not to pass on, why, and the numbers that decided."""

    stage: str
    reason: str
    reasons: tuple[str, ...]
    numbers: dict[str, float] = Field(default_factory=dict)
    subject_ids: tuple[str, ...] = ()


class Label(Event):
    """One person's verdict on one comparison, blind to model and order.

    A label that ``withdraws`` another (its event id) takes that one back and is no vote itself; it
    repeats what it withdraws.
    """

    comparison_id: str
    prompt_id: str
    content_sha256: str
    annotator: str
    role: LabelRole
    winner: HumanWinner
    criteria: tuple[str, ...] = ()
    seconds: float | None = None
    comment: str | None = None
    order: Order
    withdraws: str | None = None


class Calibration(Event):
    """How well a judge configuration agrees with people on one split (slice "" = all).

    ``position_bias`` (mean b in log-odds) and ``length_slope`` have their standard errors beside
    them where there are enough anchors for one. ``ece`` and ``brier`` hold the margin's confidence
    against people; ``scaled_ece`` and ``scaled_brier`` do after division by ``temperature``, and
    ``isotonic_ece`` and ``isotonic_brier`` after the isotonic fit, both fitted on the calibration
    split only. ``checkpoints`` counts the anchors by the policy checkpoint (or model) whose answers
    they hold, ``prompts`` the different prompts among the ``n``: pairs of one prompt are not
    independent, and ``standard_error`` says so. 0 where nobody counted them.
    """

    judge_config_hash: str
    rubric_version: str
    panel: tuple[str, ...]
    split: str
    slice: str = ""
    n: int = Field(ge=0)
    confusion: tuple[ConfusionCell, ...]
    observed_agreement: float | None
    kappa: float | None
    standard_error: float | None
    lower_bound: float | None
    upper_bound: float | None
    coverage: float | None
    parse_failures: int = Field(ge=0)
    position_bias: float | None = None
    length_slope: float | None = None
    verdict: Verdict
    position_bias_error: float | None = None
    length_slope_error: float | None = None
    ece: float | None = None
    brier: float | None = None
    temperature: float | None = None
    scaled_ece: float | None = None
    scaled_brier: float | None = None
    reliability: tuple[ReliabilityBin, ...] = ()
    checkpoints: dict[str, int] = Field(default_factory=dict)
    prompts: int = Field(default=0, ge=0)
    isotonic_ece: float | None = None
    isotonic_brier: float | None = None

    @property
    def independent(self) -> int:
        """How many anchors say something of their own: one a prompt."""
        return self.prompts or self.n


class Run(Event):
    """One step in the life of a training run; the last by occurred_at is its state.

    ``policy`` is the folder that training started from, ``checkpoint`` the one that it wrote (of
    a promotion: the version's) and ``fingerprint`` the hash of that one's weights, configuration
    and tokenizer. ``epoch`` is the term of the trainer that told it; None for a person's command.
    ``trial`` marks one of a search for settings: it uses up no pairs.
    """

    run_id: str
    status: RunStatus
    manifest_hash: str
    offset_ranges: tuple[OffsetRange, ...] = ()
    algorithm: str
    hyper_parameters: dict[str, str] = Field(default_factory=dict)
    gates: tuple[GateResult, ...] = ()
    ungated: bool = False
    metrics_before: dict[str, float] = Field(default_factory=dict)
    metrics_after: dict[str, float] = Field(default_factory=dict)
    detail: str = ""
    policy: str = ""
    checkpoint: str = ""
    fingerprint: str = ""
    epoch: int | None = None
    trial: bool = False


class DeadLetter(Event):
    """Bytes that a stage could not process; topic, partition and offset are its identity."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    value_sha256: str
    value_bytes: int = Field(ge=0)
    error_class: str
    message: str
    stage: str
    attempt: int = Field(ge=1)
    retryable: bool


TOPICS: dict[type[Event], str] = {
    Completion: "completions",
    CandidateSet: "samples",
    Feedback: "feedback",
    Verification: "verifications",
    Comparison: "comparisons",
    Judgment: "judgments",
    Preference: "preferences",
    Discard: "discards",
    Label: "labels",
    Calibration: "calibrations",
    Run: "runs",
    DeadLetter: "dead-letters",
}
EVENTS: dict[str, type[Event]] = {topic: event for event, topic in TOPICS.items()}


def partition_key(event: Event) -> str:
    """The Kafka key: the prompt's id along the chain, else what groups the event naturally."""
    for field in ("prompt_id", "judge_config_hash", "run_id"):
        value = getattr(event, field, None)
        if isinstance(value, str) and value:
            return value
    return event.event_id


def latest(*moments: datetime) -> datetime:
    """Event time of a derived event: the latest of its sources."""
    return max(moments)
