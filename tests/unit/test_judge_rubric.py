"""Rubric files: what is refused, with which sentence, and what the hash covers."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from streams.judge.rubric import load_rubric

GOOD = """\
id: tone
version: 1
instructions: Compare.
tie_policy: Equal is a tie.
criteria:
  - id: R1
    text: It runs.
    decided_by: verifier
    check: sql_gate
  - id: R2
    text: It is polite.
    decided_by: judge
    weight: 1
"""


def project(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "rubrics" / "tone" / "1.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return tmp_path


def test_a_rubric_asks_the_judge_only_for_what_the_judge_decides(tmp_path: Path) -> None:
    rubric = load_rubric(project(tmp_path, GOOD), "tone/1")
    assert rubric.ref == "tone/1"
    assert [criterion.id for criterion in rubric.judged] == ["R2"]


def test_the_hash_covers_content_and_not_layout(tmp_path: Path) -> None:
    before = load_rubric(project(tmp_path / "a", GOOD), "tone/1")
    laid_out = load_rubric(project(tmp_path / "b", f"# reviewed\n{GOOD}\n"), "tone/1")
    changed = load_rubric(project(tmp_path / "c", GOOD.replace("polite", "kind")), "tone/1")
    assert before.hash == laid_out.hash
    assert before.hash != changed.hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: R2", "id: R1", "stands twice"),
        ("decided_by: judge", "decided_by: people", "nothing to judge"),
        ("    check: sql_gate\n", "", "name a check"),
        ("weight: 1", "weight: 0", "weight"),
        ("weight: 1", "weight: 0.4", r"sum to 0\.4; they are shares"),
        ("weight: 1", "wieght: 1", "did you mean weight?"),
        ("    check: sql_gate", "    check: sql_gate\n    weight: 0.5", "R1 has a weight"),
        ("id: tone", "id: other", "says it is rubric other/1"),
        ("tie_policy: Equal is a tie.\n", "", "tie_policy is missing"),
    ],
)
def test_a_bad_rubric_names_file_and_remedy(tmp_path: Path, old: str, new: str, said: str) -> None:
    root = project(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=rf"1\.yaml:\d+: .*{said}"):
        load_rubric(root, "tone/1")


def test_a_missing_rubric_says_which_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rubrics/tone/9\.yaml: no such file"):
        load_rubric(tmp_path, "tone/9")
