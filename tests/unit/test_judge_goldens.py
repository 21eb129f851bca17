"""Golden prompts and what `prefstream rubric test` and `rubric diff` make of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.events import Judgment
from schemas.records import Purpose, Winner
from streams.judge.golden_report import golden_report
from streams.judge.goldens import Golden, Passed, load_goldens, load_passed, record_passed
from streams.judge.lock import lock
from streams.judge.rubric import Criterion, Rubric
from streams.judge.rubric_diff import rubric_changes
from tests.events import judgment
from tests.unit.judge_case import RUBRIC

ASKED = [
    ("R4", Golden(id="first", prompt="p", a="x", b="y", winner="A")),
    ("R4", Golden(id="second", prompt="p", a="x", b="z", winner="tie")),
]
GOLDENS = """\
criterion: R4
goldens:
  - {id: one, prompt: "how many?", a: "12", b: "13", winner: A}
  - {id: two, prompt: "how much?", a: "7", b: "8", winner: B, why: it is 8}
"""


def judged(*winners: Winner) -> dict[str, Judgment]:
    return {
        golden.comparison_id("harbor"): judgment(
            golden.comparison("harbor", "shop"), winner=winner, margin=1.0
        )
        for (_, golden), winner in zip(ASKED, winners, strict=True)
    }


def test_a_golden_passes_by_its_winner_and_a_tie_by_a_tie() -> None:
    report = golden_report(ASKED, judged(Winner.A, Winner.TIE), "harbor")
    assert report.passed == ("first", "second")
    (criterion,) = report.criteria
    assert (criterion.criterion, criterion.n, criterion.passed) == ("R4", 2, 2)


@pytest.mark.parametrize("winner", [Winner.A, Winner.CONFLICT, Winner.INVALID])
def test_no_other_verdict_passes_for_a_tie(winner: Winner) -> None:
    assert golden_report(ASKED, judged(Winner.A, winner), "harbor").passed == ("first",)


def test_what_was_not_judged_does_not_pass() -> None:
    report = golden_report(ASKED, {}, "harbor")
    assert report.passed == ()
    assert report.results[0].winner is None


def test_only_what_passed_before_can_regress() -> None:
    before = Passed(rubric="harbor/1", judge_config_hash="j", passed=("first", "gone"))
    report = golden_report(ASKED, judged(Winner.B, Winner.TIE), "harbor", before)
    assert report.regressions == ("first",)
    assert report.gained == ("second",)
    assert report.gone == ("gone",)
    assert report.criteria[0].regressions == 1
    assert golden_report(ASKED, judged(Winner.B, Winner.A), "harbor").regressions == ()


def test_a_golden_can_never_train() -> None:
    event = ASKED[0][1].comparison("harbor", "shop")
    assert event.purpose is Purpose.GOLDEN


def test_goldens_of_a_criterion_that_nobody_judges_are_not_asked(tmp_path: Path) -> None:
    write(tmp_path, "R4.yaml", GOLDENS)
    write(tmp_path, "R1.yaml", GOLDENS.replace("R4", "R1").replace("id: ", "id: r1-"))
    asked = load_goldens(tmp_path, "harbor").asked(RUBRIC)
    assert [golden.id for _, golden in asked] == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOLDENS.replace("winner: A", "winner: C"), "R4.yaml:3: goldens.0.winner"),
        (GOLDENS.replace("id: two", "id: one"), "golden one stands twice"),
        (GOLDENS.replace("why", "wy"), "did you mean why"),
        ("criterion: R4\ngoldens: []\n", "R4.yaml:2: goldens"),
    ],
)
def test_a_bad_file_is_told_where(tmp_path: Path, content: str, said: str) -> None:
    write(tmp_path, "R4.yaml", content)
    with pytest.raises(ConfigError) as raised:
        load_goldens(tmp_path, "harbor")
    assert said in str(raised.value)


def test_a_folder_without_goldens_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no golden prompts"):
        load_goldens(tmp_path, "harbor")


def test_what_passed_is_kept(tmp_path: Path) -> None:
    write(tmp_path, "R4.yaml", GOLDENS)
    assert load_passed(tmp_path, "harbor") is None
    kept = Passed(rubric="harbor/1", judge_config_hash="j", passed=("one",))
    record_passed(tmp_path, "harbor", kept)
    assert load_passed(tmp_path, "harbor") == kept
    write(tmp_path, "passed.json", "{")
    with pytest.raises(ConfigError, match="restore it"):
        load_passed(tmp_path, "harbor")


def test_a_version_on_trial_may_still_change(tmp_path: Path) -> None:
    (tmp_path / "rubrics").mkdir()
    lock(tmp_path, RUBRIC, add=False)
    lock(tmp_path, RUBRIC.model_copy(update={"instructions": "Compare well."}))
    with pytest.raises(ConfigError, match="was changed after it was used"):
        lock(tmp_path, RUBRIC, add=False)


def test_the_changes_of_a_rubric() -> None:
    kept, faithful = RUBRIC.criteria
    new = Rubric(
        id="harbor",
        version="2",
        criteria=(
            faithful.model_copy(update={"text": "It is quite faithful."}),
            Criterion(id="R5", text="It is brief.", decided_by="judge"),
        ),
        instructions=RUBRIC.instructions,
        tie_policy="The shorter one wins.",
    )
    changes = {change.what: change for change in rubric_changes(RUBRIC, new)}
    assert {what: change.kind for what, change in changes.items()} == {
        kept.id: "removed",
        "R4": "changed",
        "R5": "added",
        "tie_policy": "changed",
    }
    assert "-text: It is faithful." in changes["R4"].diff
    assert "+text: It is quite faithful." in changes["R4"].diff
    assert rubric_changes(RUBRIC, RUBRIC.model_copy(update={"version": "2"})) == []


def write(project: Path, name: str, content: str) -> None:
    path = project / "goldens" / "harbor" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose judge said A about both goldens, so one of two passes."""
    write(tmp_path, "R4.yaml", GOLDENS)
    (tmp_path / "pipeline.yaml").write_text(
        "judge: {model: 'recorded:verdicts.jsonl', rubric: harbor/1}\n"
        "verify: {databases: [{name: x, path: x.duckdb, dialect: duckdb}]}\n"
    )
    rubrics = tmp_path / "rubrics" / "harbor"
    rubrics.mkdir(parents=True)
    one = RUBRIC.model_copy(update={"criteria": RUBRIC.criteria[1:]})
    two = one.model_copy(update={"version": "2", "tie_policy": "None."})
    for rubric in (one, two):
        path = rubrics / f"{rubric.version}.yaml"
        path.write_text(rubric.model_dump_json(), encoding="utf-8")
    say(tmp_path, "A")
    return tmp_path


def say(project: Path, preferred: str) -> None:
    rows = [
        {"prompt": "how many?", "a": "12", "b": "13", "given": preferred, "swapped": preferred},
        {"prompt": "how much?", "a": "7", "b": "8", "given": "A", "swapped": "A"},
    ]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (project / "verdicts.jsonl").write_text(lines, encoding="utf-8")


def rubric(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", "rubric", *arguments, "--project", str(project)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)


def test_rubric_test_fails_where_something_passed_before(project: Path) -> None:
    first = rubric(project, "test", "--record", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["criteria"] == [
        {"criterion": "R4", "n": 2, "passed": 1, "regressions": 0}
    ]
    assert rubric(project, "test").returncode == 0
    say(project, "B")
    second = rubric(project, "test")
    assert second.returncode == 1
    assert "one passed before and fails now" in second.stderr
    assert rubric(project, "test", "--record").returncode == 0
    assert rubric(project, "test").returncode == 0


def test_rubric_diff_shows_words_and_verdicts_and_locks_nothing(project: Path) -> None:
    done = rubric(project, "diff", "harbor/1", "harbor/2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [change["what"] for change in found["changes"]] == ["tie_policy"]
    assert len(found["goldens"]["old"]["results"]) == len(found["goldens"]["new"]["results"]) == 2
    assert not (project / "rubrics" / "lock.json").exists()
    unknown = rubric(project, "diff", "harbor/1", "harbor/3")
    assert unknown.returncode == 78
    assert "3.yaml: no such file" in unknown.stderr
