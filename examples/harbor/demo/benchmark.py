"""What is measured: the locked benchmark, and chosen answers on warehouses labelling never saw."""

import asyncio
from collections.abc import Iterable, Sequence

from examples.harbor.demo.workspace import Workspace
from examples.harbor.evaluation_prompts import asked
from examples.harbor.prompts import prompt_of
from examples.harbor.questions import Split, questions
from schemas.events import Preference
from schemas.records import Expectation, ExpectationKind
from streams.verify.settings import InstanceSettings, VerifySettings
from streams.verify.verifier import Verifier
from trainer.evaluate import Share, wrong_share
from trainer.prompts import EvaluationPrompt


def benchmark(limit: int | None) -> tuple[EvaluationPrompt, ...]:
    """The first ``limit`` questions of the locked benchmark."""
    return asked(questions("benchmark")[:limit])


def on_the_database(verify: VerifySettings) -> VerifySettings:
    """The settings that execution accuracy is measured by, as published figures are: the result on
    the database itself decides, and no fuzzed copies of it.
    """
    return verify.model_copy(update={"instances": InstanceSettings(copies=0)})


def chosen_wrong(
    pairs: Sequence[Preference], workspace: Workspace, verify: VerifySettings
) -> Share:
    """Share of the chosen answers that fail on at least one of the measuring copies."""
    (warehouse,) = verify.databases
    copies = tuple(
        warehouse.model_copy(update={"name": path.stem, "path": str(path.resolve())})
        for path in workspace.copies
    )
    golden = golden_queries(("train", "core"))
    expectations = {
        prompt_id: [
            Expectation(kind=ExpectationKind.GOLDEN_SQL, spec=sql, params={"database": copy.name})
            for copy in copies
        ]
        for prompt_id, sql in golden.items()
    }
    on_copies = on_the_database(verify).model_copy(update={"databases": copies})

    async def measure() -> Share:
        async with Verifier(on_copies, workspace.project) as verifier:
            return await wrong_share(pairs, expectations, verifier)

    return asyncio.run(measure())


def golden_queries(splits: Iterable[Split]) -> dict[str, str]:
    """Golden SQL by prompt id."""
    return {
        prompt_of(question.text): question.sql for split in splits for question in questions(split)
    }
