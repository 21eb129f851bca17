"""The shell around ``evaluate``: opens a model and the sandbox for one evaluation."""

from collections.abc import Callable, Sequence
from pathlib import Path

from infra.settings import Settings
from streams.inference.chat import ChatModel
from streams.inference.open_model import open_model
from streams.verify.settings import VerifySettings
from streams.verify.verifier import Verifier
from trainer.evaluate import Evaluation, EvaluationSettings, evaluate
from trainer.opened import opened
from trainer.prompts import EvaluationPrompt


def evaluate_policy(
    checkpoint: Path,
    prompts: Sequence[EvaluationPrompt],
    verify: VerifySettings,
    project_dir: Path,
    settings: EvaluationSettings,
    infra: Settings,
) -> Evaluation:
    """What the checkpoint answers to the prompts, checked as the project's verify stage checks.

    Raises ``Fatal`` where the folder holds no model, ``ConfigError`` where a database is missing.
    """

    def model() -> ChatModel:
        return open_model(f"path:{checkpoint}", infra)

    return evaluate_model(model, prompts, verify, project_dir, settings)


def evaluate_model(
    open_: Callable[[], ChatModel],
    prompts: Sequence[EvaluationPrompt],
    verify: VerifySettings,
    project_dir: Path,
    settings: EvaluationSettings,
) -> Evaluation:
    """The same of any model; it is closed afterwards."""

    async def checked(model: ChatModel) -> Evaluation:
        async with Verifier(verify, project_dir) as verifier:
            return await evaluate(model, prompts, verifier, settings)

    return opened(open_, checked)
