"""What loses by rule, what does not, and that nobody is asked about it."""

import pytest

from schemas.events import Judgment
from schemas.records import Winner
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.pre_checks import pre_checked, rule_winner
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from tests.unit.judge_case import RUBRIC, ReadingModel, comparison

SETTINGS = JudgeSettings(rubric=RUBRIC.ref)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("\u200b\ufeff", "empty"),
        (":", "punctuation_only"),
        ("…?!\n---", "punctuation_only"),
        ("Let's solve this problem step by step.", "non_answer"),
        ("**Solution:**", "non_answer"),
        ("I don’t know.", "non_answer"),
        ("Sure, here is the answer:", "non_answer"),
        ("the same words again and " * 20, "repeated"),
        ("12 refunds\x00", "hidden_characters"),
        ("12 \u202esdnufer", "hidden_characters"),
        ("12\U000e0041", "hidden_characters"),
    ],
)
def test_an_answer_that_says_nothing_loses(text: str, rule: str) -> None:
    (found,) = pre_checked(comparison(a="12 refunds", b=text))
    assert (found.candidate, found.rule) == ("B", rule)
    assert found.evidence
    assert rule_winner((found,)) is Winner.A


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "±∞",
        "👍",
        "Okay.",
        "None",
        "unknown",
        "はい、三件です。",
        "אני לא בטוח, אבל אולי 12",
        "می\u200cخواهم",
        "👨\u200d👩\u200d👧",
        "I don't know the exact count, but it is about 12.",
        "\tSELECT 1;\r\n",
        "no, never, " * 12,
        " ".join(f"| row {number} | 0 | 0 |" for number in range(200)),
    ],
)
def test_an_answer_that_says_something_does_not(text: str) -> None:
    assert pre_checked(comparison(a=text, b="another answer")) == ()


async def test_nobody_is_asked_and_the_rule_is_kept() -> None:
    model = ReadingModel()
    stage = JudgeStage(SETTINGS, Judges([Member(SETTINGS, RUBRIC, model)]))
    (found,) = await stage(comparison(a=":", b="a bad answer"))
    assert isinstance(found, Judgment)
    assert (found.winner, found.marks, found.opinions) == (Winner.B, ("pre_check",), ())
    assert [one.rule for one in found.pre_checks] == ["punctuation_only"]
    assert model.requests == []


async def test_two_answers_that_say_nothing_are_a_tie() -> None:
    stage = JudgeStage(SETTINGS, Judges([Member(SETTINGS, RUBRIC, ReadingModel())]))
    (found,) = await stage(comparison(a=":", b=""))
    assert isinstance(found, Judgment)
    assert found.winner is Winner.TIE
    assert len(found.pre_checks) == 2


async def test_they_can_be_switched_off_and_that_is_another_judge() -> None:
    off = SETTINGS.model_copy(update={"pre_checks": False})
    member = Member(SETTINGS, RUBRIC, ReadingModel())
    with_rules, without = (JudgeStage(one, Judges([member])) for one in (SETTINGS, off))
    (found,) = await without(comparison(a=":", b="a bad answer"))
    assert isinstance(found, Judgment)
    assert len(found.opinions) == 2
    assert with_rules.judge_config_hash != without.judge_config_hash
