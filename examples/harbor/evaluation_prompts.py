"""Questions as prompts that policies are measured by, with their golden queries."""

from collections.abc import Iterable
from pathlib import Path

from examples.harbor.prompts import WORKLOAD, messages, prompt_of
from examples.harbor.questions import Question, questions
from schemas.records import Expectation, ExpectationKind
from trainer.prompts import EvaluationPrompt


def asked(some: Iterable[Question]) -> tuple[EvaluationPrompt, ...]:
    """The prompts of the questions, in their order."""
    return tuple(
        EvaluationPrompt(
            prompt_id=prompt_of(question.text),
            workload_id=WORKLOAD,
            messages=messages(question.text),
            expectations=(Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=question.sql),),
            slice=question.slice,
        )
        for question in some
    )


def write_held_out(path: Path) -> None:
    """The dev split as the prompts that decide on a promotion: nobody trains on it, nobody labels
    it, and the locked benchmark stays unseen."""
    lines = (f"{one.model_dump_json()}\n" for one in asked(questions("dev")))
    path.write_text("".join(lines), encoding="utf-8")
