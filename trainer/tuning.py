"""The search for beta and learning rate: trials, and which of them to take. Pure."""

from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigError
from schemas.records import Record
from trainer.anchor_wins import WinRate


class Trial(Record):
    """One training and how often its answers beat the reference's on anchor prompts.

    ``refusal`` is why the gates did not let it train; ``wins`` are then of nothing. ``truncated``
    and ``dropped`` are as of ``TrainedPolicy``.
    """

    beta: float
    learning_rate: float
    wins: WinRate
    policy: Path
    run_id: str
    seconds: float
    refusal: str = ""
    truncated: int = 0
    dropped: int = 0


def best(trials: Sequence[Trial], algorithm: str) -> Trial:
    """Of the trials within one standard error of the highest win rate, the one that moves least.

    That is the largest beta (of ORPO, where it weighs the pairs, the smallest), then the lowest
    learning rate: what more they might win is chance. Raises ``ConfigError`` where no trial has a
    win rate.
    """
    rated = [(one, one.wins.value) for one in trials if one.wins.value is not None]
    if not rated:
        why = next((one.refusal for one in trials if one.refusal), "no answers were compared")
        raise ConfigError(f"none of {len(trials)} trials has a win rate: {why}")
    top, rate = max(rated, key=lambda pair: pair[1])
    near = [one for one, value in rated if value >= rate - (top.wins.error or 0.0)]
    held = 1 if algorithm == "orpo" else -1
    return min(near, key=lambda one: (held * one.beta, one.learning_rate))
