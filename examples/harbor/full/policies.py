"""The policies of the story, in the order they are shown: what each is trained on, and how."""

from enum import StrEnum
from typing import Final


class Name(StrEnum):
    """Each is one row of the table, but for the reward model, which answers nothing."""

    SFT = "sft"
    THUMBS = "thumbs"
    RLAIF_1 = "rlaif_1"
    RLAIF_2 = "rlaif_2"
    ORPO = "orpo"
    SIMPO = "simpo"
    KTO = "kto"
    REWARD = "reward"
    RLOO = "rloo"
    GRPO = "grpo"
    BEST_OF_4 = "best_of_4"


TITLES: Final[dict[Name, str]] = {
    Name.SFT: "in production (supervised)",
    Name.THUMBS: "DPO on thumbs (ungated)",
    Name.RLAIF_1: "DPO on preferences, round 1",
    Name.RLAIF_2: "DPO on preferences, round 2",
    Name.ORPO: "ORPO, round 1's pairs",
    Name.SIMPO: "SimPO, round 1's pairs",
    Name.KTO: "KTO, round 1's pairs",
    Name.RLOO: "RLOO by the reward model",
    Name.GRPO: "GRPO, verifiers as reward",
    Name.BEST_OF_4: "best of 4 by the reward model",
}

ALGORITHM_OF: Final[dict[Name, str]] = {
    Name.THUMBS: "dpo",
    Name.RLAIF_1: "dpo",
    Name.RLAIF_2: "dpo",
    Name.ORPO: "orpo",
    Name.SIMPO: "simpo",
    Name.KTO: "kto",
    Name.REWARD: "reward",
    Name.RLOO: "rloo",
    Name.GRPO: "grpo",
}
"""Those that are trained, each by its section of pipeline.yaml."""

BY_REWARD: Final = (Name.RLOO, Name.BEST_OF_4)
"""Those that the reward model of their seed is behind."""

LATER_RATE: Final = 1 / 3
"""Round 2 learns at this share of round 1's rate. On the dev split the full rate undid what round 1
had learned: there is less left to learn from fewer pairs."""

FIRST_SEED: Final = 0
"""Round 2 begins from the first seed's policy of round 1: the one that would be in production."""
