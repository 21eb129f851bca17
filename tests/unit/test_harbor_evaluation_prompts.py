"""What decides on a promotion of Harbor's policies: the dev split, and no other question."""

from pathlib import Path

from cli.project import load_project
from examples.harbor.evaluation_prompts import write_held_out
from examples.harbor.prompts import prompt_of
from examples.harbor.questions import SPLITS, questions
from trainer.prompts import EvaluationPrompt, prompt_ids, read_prompts

PROJECT = Path(__file__).parents[2] / "examples" / "harbor" / "project"


def test_the_project_decides_by_the_dev_split_alone(tmp_path: Path) -> None:
    project = load_project(PROJECT)
    assert project.promotion.prompts is not None
    write_held_out(tmp_path / project.promotion.prompts)
    written = read_prompts(tmp_path / project.promotion.prompts, EvaluationPrompt, "harbor")
    found = {
        split: len(
            prompt_ids(written) & {prompt_of(question.text) for question in questions(split)}
        )
        for split in SPLITS
    }
    assert found == dict.fromkeys(SPLITS, 0) | {"dev": len(written)}
    assert len(written) == len(questions("dev"))
