"""Rows of the chain's events, from completions to preferences."""

from collections.abc import Sequence
from functools import singledispatch

from consumers.clickhouse.nested import Cell, named, nested
from schemas.events import (
    CandidateSet,
    Comparison,
    Completion,
    Event,
    Judgment,
    Preference,
    PromptEvent,
    Verification,
)
from schemas.records import Message, VerifiedCandidate


@singledispatch
def chain_columns(event: Event) -> dict[str, Cell]:
    """The columns that only this type of event has."""
    raise TypeError(f"{type(event).__name__} has no table")


@chain_columns.register(Completion)
def _(event: Completion) -> dict[str, Cell]:
    return {
        **named(event, "prompt_id slice output model checkpoint temperature top_p seed"),
        **named(event, "finish_reason input_tokens output_tokens cost_usd latency_ms"),
        **named(event, "user_hash origin tags"),
        "prompt": _last(event.messages),
        "output_length": len(event.output),
        "expectation_kinds": [expectation.kind for expectation in event.expectations],
    }


@chain_columns.register(CandidateSet)
def _(event: CandidateSet) -> dict[str, Cell]:
    return {
        **_prompt(event),
        "expectation_kinds": [expectation.kind for expectation in event.expectations],
        **nested(
            "candidates",
            event.candidates,
            "completion_id model checkpoint temperature finish_reason origin",
        ),
        "candidates.output_length": [len(candidate.output) for candidate in event.candidates],
    }


@chain_columns.register(Verification)
def _(event: Verification) -> dict[str, Cell]:
    candidates = [verified.candidate for verified in event.candidates]
    checks = [check for verified in event.candidates for check in verified.checks]
    return {
        **_prompt(event),
        **nested("candidates", candidates, "completion_id model checkpoint"),
        "candidates.outcome": [verified.outcome for verified in event.candidates],
        "candidates.output_length": [len(candidate.output) for candidate in candidates],
        "checks.completion_id": [
            verified.candidate.completion_id
            for verified in event.candidates
            for _ in verified.checks
        ],
        **nested("checks", checks, "name version hard status score duration_ms"),
    }


@chain_columns.register(Comparison)
def _(event: Comparison) -> dict[str, Cell]:
    return {**_prompt(event), **_sides(event)}


@chain_columns.register(Judgment)
def _(event: Judgment) -> dict[str, Cell]:
    return {
        **_prompt(event.comparison),
        **_sides(event.comparison),
        "prompt_id": event.prompt_id,
        "comparison_id": event.comparison.event_id,
        **named(event, "rubric_version teacher_model judge_config_hash winner"),
        **named(event, "crosscheck_winner margin position_bias agreement panel marks"),
        **nested("pre_checks", event.pre_checks, "candidate rule"),
        **nested(
            "opinions",
            event.opinions,
            "judge order answer p_first p_second p_tie captured_mass "
            "input_tokens output_tokens latency_ms cost_usd member sample left_out_characters",
        ),
    }


@chain_columns.register(Preference)
def _(event: Preference) -> dict[str, Cell]:
    return {
        **named(event, "prompt_id slice source chosen_id chosen_length chosen_checks"),
        **named(event, "rejected_id rejected_length rejected_checks margin agreement"),
        **named(event, "rubric_version teacher_model judge_config_hash panel marks"),
        "prompt": _last(event.prompt),
        "chosen": _last(event.chosen),
        "rejected": _last(event.rejected),
    }


def _prompt(event: PromptEvent) -> dict[str, Cell]:
    return {**named(event, "prompt_id slice purpose"), "prompt": _last(event.messages)}


def _sides(event: Comparison) -> dict[str, Cell]:
    return {
        **named(event, "rubric_id verifier_winner"),
        **_side("a", event.a),
        **_side("b", event.b),
    }


def _side(side: str, verified: VerifiedCandidate) -> dict[str, Cell]:
    return {
        f"{side}_id": verified.candidate.completion_id,
        f"{side}_model": verified.candidate.model,
        f"{side}_outcome": verified.outcome,
        f"{side}_length": len(verified.candidate.output),
    }


def _last(messages: Sequence[Message]) -> str:
    return messages[-1].content
