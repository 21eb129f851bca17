"""Which stage reads which topic: the one picture that runners, accounting and `status` share."""

from schemas.events import (
    TOPICS,
    CandidateSet,
    Comparison,
    Completion,
    Event,
    Judgment,
    Verification,
)

STAGE_INPUTS: dict[str, type[Event]] = {
    "sample": Completion,
    "verify": CandidateSet,
    "pair": Verification,
    "judge": Comparison,
    "filter": Judgment,
}
"""The stages in the order events pass them, with the event each takes in."""


def input_topic(stage: str) -> str:
    """The topic that a stage reads."""
    return TOPICS[STAGE_INPUTS[stage]]


def consumer_group(stage: str) -> str:
    """The consumer group of a stage's workers."""
    return f"prefstream.{stage}"
