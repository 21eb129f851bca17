"""Harbor's prompts as the pipeline sees them: workload, messages, id, and the anchors' shares."""

from typing import Final

from consumers.calibration.splits import Split, SplitShares
from consumers.calibration.splits import split_of as calibration_split_of
from examples.harbor.warehouse import schema_prompt
from schemas.ids import PromptId, prompt_id
from schemas.records import Message

WORKLOAD: Final = "harbor"

# Of the questions that people label: enough in the calibration split for a bound on kappa, a
# holdout that is read once, and the rest to train on. The pipeline must use the same shares.
SHARES: Final = SplitShares(calibration=0.53, holdout=0.13, core=0.34)


def messages(text: str) -> tuple[Message, ...]:
    """The prompt of a question: the schema as system message, then the question."""
    return (
        Message(role="system", content=schema_prompt()),
        Message(role="user", content=text),
    )


def prompt_of(text: str) -> PromptId:
    """The prompt id of a question's text."""
    return prompt_id(WORKLOAD, [(turn.role, turn.content) for turn in messages(text)])


def labelled_split(text: str) -> Split:
    """What a labelled question is for: the same stable hash that calibration uses."""
    return calibration_split_of(prompt_of(text), SHARES)
