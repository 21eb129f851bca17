"""The records and enumerations that events are made of (design §3 and §4).

Each enumeration's first symbol is its Avro default: a reader that meets a newer symbol falls back
to it, so it is always the one that claims least.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A frozen part of an event; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Origin(StrEnum):
    """Where a completion came from."""

    PRODUCTION = "PRODUCTION"
    SAMPLE = "SAMPLE"
    HUMAN = "HUMAN"
    IMPORT = "IMPORT"


class Purpose(StrEnum):
    """What a candidate set is for; only PRODUCTION may ever become preferences."""

    CANARY = "CANARY"
    PRODUCTION = "PRODUCTION"
    ANCHOR = "ANCHOR"
    PROBE = "PROBE"
    CROSSCHECK = "CROSSCHECK"
    GOLDEN = "GOLDEN"


class ExpectationKind(StrEnum):
    """How the answer to a prompt can be checked."""

    REFERENCE_TEXT = "REFERENCE_TEXT"
    GOLDEN_SQL = "GOLDEN_SQL"
    JSON_SCHEMA = "JSON_SCHEMA"
    NUMERIC = "NUMERIC"
    UNIT_TESTS = "UNIT_TESTS"


class CheckStatus(StrEnum):
    """What a check found; a check that could not run is ERROR, never PASS."""

    ERROR = "ERROR"
    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    SKIP = "SKIP"


class Outcome(StrEnum):
    """What all checks together say of a candidate."""

    UNDECIDED = "UNDECIDED"
    PASSED = "PASSED"
    FAILED = "FAILED"


class VerifierWinner(StrEnum):
    """The candidate that the verifiers alone prefer."""

    NONE = "NONE"
    A = "A"
    B = "B"


class Winner(StrEnum):
    """A judge's verdict over both orders."""

    INVALID = "INVALID"
    A = "A"
    B = "B"
    TIE = "TIE"
    CONFLICT = "CONFLICT"


class Order(StrEnum):
    """Which candidate stood first in the prompt."""

    AB = "AB"
    BA = "BA"


class FeedbackKind(StrEnum):
    """What a person did with an answer."""

    IMPLICIT = "IMPLICIT"
    THUMB = "THUMB"
    EDIT = "EDIT"
    RATING = "RATING"


class LabelRole(StrEnum):
    """Why a person labelled a comparison."""

    AUDIT = "AUDIT"
    LABEL = "LABEL"
    ADJUDICATION = "ADJUDICATION"


class HumanWinner(StrEnum):
    """A person's verdict."""

    TIE = "TIE"
    A = "A"
    B = "B"
    BOTH_BAD = "BOTH_BAD"


class PreferenceSource(StrEnum):
    """Who decided a preference pair."""

    THUMBS = "THUMBS"
    RLAIF = "RLAIF"
    VERIFIER = "VERIFIER"
    HUMAN = "HUMAN"


class Verdict(StrEnum):
    """What a gate or a calibration concluded; INCONCLUSIVE means too little data to tell."""

    INCONCLUSIVE = "INCONCLUSIVE"
    PASS = "PASS"
    FAIL = "FAIL"


class RunStatus(StrEnum):
    """How far a training run came, and what trainers decided between runs.

    CLEARED and WITHHELD are what the gates after training said. REQUESTED, TRIGGERED (train),
    WAITED (do not) and LEADING (a trainer took over) belong to no run: their ``run_id`` is
    their own.
    """

    FAILED = "FAILED"
    REFUSED = "REFUSED"
    STARTED = "STARTED"
    TRAINED = "TRAINED"
    EVALUATED = "EVALUATED"
    PROMOTED = "PROMOTED"
    CLEARED = "CLEARED"
    WITHHELD = "WITHHELD"
    ROLLED_BACK = "ROLLED_BACK"
    REQUESTED = "REQUESTED"
    TRIGGERED = "TRIGGERED"
    WAITED = "WAITED"
    LEADING = "LEADING"


class Message(Record):
    """One turn of a chat."""

    role: str = Field(min_length=1)
    content: str


class Passage(Record):
    """A retrieved text that was in the model's context."""

    source: str
    text: str


class Expectation(Record):
    """One way to check answers to the prompt.

    ``spec`` is the reference itself (SQL, JSON Schema, number, test code, text); ``params`` are
    what its check needs to know, such as the database it runs on.
    """

    kind: ExpectationKind
    spec: str
    params: dict[str, str] = Field(default_factory=dict)


class Answer(Record):
    """What a model (or person) answered, and how; None where it is not known."""

    output: str
    model: str
    checkpoint: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    finish_reason: str = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    user_hash: str | None = None
    origin: Origin = Origin.IMPORT
    tags: tuple[str, ...] = ()


class Candidate(Answer):
    """One answer of a candidate set: a completion without its prompt."""

    completion_id: str


class Check(Record):
    """What one check said of one candidate. Evidence is at most 2 KB; score is in [0, 1]."""

    name: str
    version: str
    hard: bool
    status: CheckStatus
    score: float | None = None
    evidence: str = ""
    duration_ms: float = 0.0


class VerifiedCandidate(Record):
    """A candidate with its checks and what they amount to."""

    candidate: Candidate
    checks: tuple[Check, ...] = ()
    outcome: Outcome


class Citation(Record):
    """What the judge cited before its verdict: a criterion met or not by a candidate (A or B)."""

    candidate: str
    criterion: str
    met: bool | None = None
    quote: str = ""


class Opinion(Record):
    """One judge's answer to one order of a comparison.

    ``p_first``, ``p_second`` and ``p_tie`` are raw (unmasked) token probabilities of the verdict
    for the candidate shown first, second, or a tie; None where the judge gives none.
    ``captured_mass`` is their sum. ``answer`` is the parsed verdict in terms of A and B. ``member``
    is its name in the panel ("" without one), ``rubric_version`` the rubric or constitution it went
    by, ``sample`` the number of the draw where verdicts are drawn instead of read from
    probabilities, ``left_out_characters`` what was cut out of texts that were too long to show.
    """

    judge: str
    prompt_version: str
    prompt_sha256: str
    order: Order
    answer: Winner
    p_first: float | None = None
    p_second: float | None = None
    p_tie: float | None = None
    captured_mass: float | None = None
    citations: tuple[Citation, ...] = ()
    raw_text: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: float | None = None
    cost_usd: float | None = None
    fingerprint: str | None = None
    member: str = ""
    rubric_version: str = ""
    sample: int | None = None
    left_out_characters: int = Field(default=0, ge=0)


class PreCheck(Record):
    """A rule by which a candidate (A or B) loses before any judge is asked."""

    candidate: str
    rule: str
    evidence: str = ""


class ConfusionCell(Record):
    """How often the judge said ``judge`` where people said ``human``."""

    human: str
    judge: str
    n: int = Field(ge=0)


class ReliabilityBin(Record):
    """Verdicts whose confidence lies in (low, high]: its mean, and the share people agree with."""

    low: float
    high: float
    n: int = Field(ge=1)
    confidence: float
    accuracy: float


class OffsetRange(Record):
    """Offsets first to last, both included, of one partition."""

    topic: str
    topic_uuid: str
    partition: int = Field(ge=0)
    first: int
    last: int


class GateResult(Record):
    """One gate of a run: the number, what it had to reach, and the verdict."""

    name: str
    verdict: Verdict
    value: float | None = None
    threshold: float | None = None
    detail: str = ""
