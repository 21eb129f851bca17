"""A preference as rows of each format that trainers read. Pure.

| format        | read by                                        | rows a pair |
|---------------|------------------------------------------------|-------------|
| trl           | TRL's DPO, ORPO and CPO trainers               | 1           |
| kto           | TRL's KTOTrainer                               | 2           |
| reward        | TRL's RewardTrainer, which needs each a margin | 1           |
| ultrafeedback | what reads UltraFeedback-binarized             | 1           |
| openai        | OpenAI's preference fine-tuning                | 1           |

All but ``openai``, which refuses fields it does not know, carry where the row comes from; of that
one it stands in a file beside it.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from schemas.events import Preference
from schemas.records import Message

Row = dict[str, Any]

# Scores stand for "better" and "worse" where the judge gave no margin.
_NO_MARGIN = 1.0


class Format(StrEnum):
    """How the rows are written."""

    TRL = "trl"
    KTO = "kto"
    REWARD = "reward"
    ULTRAFEEDBACK = "ultrafeedback"
    OPENAI = "openai"


UNTAGGED = frozenset({Format.OPENAI})
"""Formats whose rows cannot say where they come from."""


def rows_of(preference: Preference, format_: Format) -> list[Row]:
    """The rows of one pair."""
    return _ROWS[format_](preference)


def _trl(preference: Preference) -> list[Row]:
    return [
        {
            "prompt": _messages(preference.prompt),
            "chosen": _messages(preference.chosen),
            "rejected": _messages(preference.rejected),
            **tags_of(preference),
        }
    ]


def _kto(preference: Preference) -> list[Row]:
    """Unpaired: the chosen answer as a good one, the rejected as a bad one."""
    return [
        {
            "prompt": _messages(preference.prompt),
            "completion": _messages(answer),
            "label": label,
            **tags_of(preference),
        }
        for answer, label in ((preference.chosen, True), (preference.rejected, False))
    ]


def _reward(preference: Preference) -> list[Row]:
    """The margin is |m| in log-odds; 0, the plain loss, for a row that no judge decided."""
    (row,) = _trl(preference)
    return [row | {"margin": abs(preference.margin or 0.0)}]


def _ultrafeedback(preference: Preference) -> list[Row]:
    """Scores are half the margin to either side of zero."""
    half = abs(preference.margin if preference.margin is not None else _NO_MARGIN) / 2
    prompt = _messages(preference.prompt)
    return [
        {
            "prompt": preference.prompt[-1].content,
            "chosen": prompt + _messages(preference.chosen),
            "rejected": prompt + _messages(preference.rejected),
            "messages": prompt + _messages(preference.chosen),
            "score_chosen": half,
            "score_rejected": -half,
            **tags_of(preference),
        }
    ]


def _openai(preference: Preference) -> list[Row]:
    return [
        {
            "input": {
                "messages": _messages(preference.prompt),
                "tools": [],
                "parallel_tool_calls": True,
            },
            "preferred_output": _messages(preference.chosen),
            "non_preferred_output": _messages(preference.rejected),
        }
    ]


_ROWS: dict[Format, Callable[[Preference], list[Row]]] = {
    Format.TRL: _trl,
    Format.KTO: _kto,
    Format.REWARD: _reward,
    Format.ULTRAFEEDBACK: _ultrafeedback,
    Format.OPENAI: _openai,
}


def tags_of(preference: Preference) -> Row:
    """Where the pair comes from."""
    return {
        "event_id": preference.event_id,
        "prompt_id": preference.prompt_id,
        "workload_id": preference.workload_id,
        "slice": preference.slice,
        "source": preference.source.value,
        "rubric_version": preference.rubric_version,
        "teacher_model": preference.teacher_model,
        "judge_config_hash": preference.judge_config_hash,
        "margin": preference.margin,
        "agreement": preference.agreement,
    }


def _messages(messages: Iterable[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
