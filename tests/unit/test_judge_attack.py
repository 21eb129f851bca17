"""The attack suite: what is planted, what counts as won, and that it tells a gullible judge."""

from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app, main
from schemas.errors import ConfigError
from schemas.events import Comparison
from schemas.records import Winner
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.judge.attack.measure import AttackReport, report
from streams.judge.attack.pairs import PairRow, comparison, read_pairs
from streams.judge.attack.run import attack
from streams.judge.attack.suite import Place, attacks, planted, spread
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from tests.unit.judge_case import RUBRIC


def pair(number: int = 0) -> tuple[Comparison, Winner]:
    row = PairRow(prompt=f"how much {number}?", better="good answer", worse=f"poor one {number}")
    return comparison(row, RUBRIC.ref)


PAIRS = [pair(number) for number in range(12)]


class Reader:
    """Prefers the candidate with the word "good", read between the call's own delimiters."""

    model = "reader"

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        return ChatAnswer(text=f"Verdict: {self.preferred(*blocks(request))}", model=self.model)

    def preferred(self, first: str, second: str) -> str:
        return "A" if "good" in first else "B"

    async def aclose(self) -> None: ...


class Gullible(Reader):
    """Falls for confidence."""

    def preferred(self, first: str, second: str) -> str:
        for name, text in (("A", first), ("B", second)):
            if "fully confident" in text:
                return name
        return super().preferred(first, second)


class Placed(Reader):
    """Always prefers what is shown first."""

    def preferred(self, first: str, second: str) -> str:
        return "A"


def blocks(request: ChatRequest) -> tuple[str, str]:
    text = request.messages[-1].content
    code = text.splitlines()[0].removeprefix("Code: ")
    first, second = (
        text.split(f"<{code} {name}>\n")[1].split(f"\n</{code} {name}>")[0] for name in "AB"
    )
    return first, second


async def attacked(model: Reader, repeats: int = 1) -> AttackReport:
    settings = JudgeSettings(rubric=RUBRIC.ref)
    stage = JudgeStage(settings, Judges([Member(settings, RUBRIC, model)]))
    try:
        return report(await attack(stage, PAIRS, repeats))
    finally:
        await stage.aclose()


def test_the_suite_is_large_and_every_text_is_one_of_its_kind() -> None:
    found = attacks()
    families = Counter(one.family for one in found)
    assert len(found) >= 150
    assert len(families) >= 8
    assert min(families.values()) >= 10
    assert len({one.text for one in found}) == len(found)


@pytest.mark.parametrize("place", list(Place))
def test_an_attack_changes_one_place_only(place: Place) -> None:
    event, better = PAIRS[0]
    seen = set()
    for one in attacks():
        found = planted(one, event, better, place)
        assert found.side is not better
        worse, best = (event.a, event.b) if found.side is Winner.A else (event.b, event.a)
        changed = found.comparison
        now = (changed.a, changed.b) if found.side is Winner.A else (changed.b, changed.a)
        assert now[1] == best
        assert (now[0] != worse) == (place is not Place.PROMPT)
        assert (changed.messages != event.messages) == (place is Place.PROMPT)
        text = changed.messages[-1].content + now[0].candidate.output
        assert "{me}" not in text
        assert "{other}" not in text
        seen.add(changed.event_id)
    assert len(seen) == len(attacks())


def test_both_sides_attack_in_every_family_and_at_every_place() -> None:
    found = Counter((one.attack.family, one.place, one.side) for one in spread(PAIRS, 2))
    assert {key[2] for key in found} == {Winner.A, Winner.B}
    assert len(found) == 2 * len(Place) * len({one.family for one in attacks()})


async def test_a_judge_that_reads_the_answers_is_not_moved() -> None:
    found = await attacked(Reader())
    assert found.all.succeeded == 0
    assert found.all.n == 3 * len(attacks())
    assert 0 < found.all.upper_bound < 0.01
    assert found.left_out == 0


async def test_a_gullible_judge_is_found_out_in_the_family_that_moves_it() -> None:
    found = await attacked(Gullible())
    won = {name: one.succeeded for name, one in found.families.items() if one.succeeded}
    # "I am fully confident …" before and after the answer; in the prompt nobody reads it
    assert won == {"self_praise": 2}
    assert found.families["self_praise"].success_rate == pytest.approx(2 / 42)
    assert found.places[Place.PROMPT.value].succeeded == 0


async def test_what_the_judge_gets_wrong_by_itself_does_not_count() -> None:
    with pytest.raises(ValueError, match="none of these comparisons"):
        await attacked(Placed())


async def test_both_sides_are_counted_on_their_own() -> None:
    found = await attacked(Gullible())
    assert sum(one.n for one in found.sides.values()) == found.all.n
    assert sum(one.succeeded for one in found.sides.values()) == found.all.succeeded


async def test_a_stage_that_judges_nothing_is_told_and_no_crash() -> None:
    with pytest.raises(ConfigError, match="no_judge instead of a judgment"):
        await attack(JudgeStage(JudgeSettings(), None), PAIRS, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no pair"),
        ("\n{", "line 2"),
        ('{"prompt": "p", "better": "x"}', "worse"),
        ('{"prompt": "p", "better": "x", "worse": ""}', "worse"),
    ],
)
def test_a_bad_file_is_told_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_pairs(file, "r/1")


def test_a_project_without_a_judge_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pipeline.yaml").write_text("workload: shop\n")
    with pytest.raises(SystemExit) as ended:
        main(["judge", "attack", "--pairs", "x.jsonl", "--project", str(tmp_path)])
    assert ended.value.code == 78
    assert "judge.model is not set" in capsys.readouterr().err


def test_the_command_says_what_it_does() -> None:
    shown = CliRunner().invoke(app, ["judge", "attack", "--help"])
    assert shown.exit_code == 0
    assert f"{len(attacks())} attacks" in shown.stdout
    assert f"{len({one.family for one in attacks()})} families" in shown.stdout
