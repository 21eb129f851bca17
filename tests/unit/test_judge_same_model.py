"""A model does not judge its own answers unless that is configured; then every row says so."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.events import Comparison, Discard, Judgment, Preference
from schemas.records import VerifierWinner, Winner
from streams.filter import FilterStage
from streams.filter_rules import FilterSettings
from streams.inference.chat import ChatAnswer, ChatRequest
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.open_judges import open_judges
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from tests.unit.judge_case import RUBRIC, ReadingModel, comparison

SETTINGS = JudgeSettings(rubric=RUBRIC.ref)
ALLOWED = JudgeSettings(rubric=RUBRIC.ref, allow_same_model=True)


def answered_by(model: str, checkpoint: str | None = None) -> Comparison:
    event = comparison()
    candidate = event.a.candidate.model_copy(update={"model": model, "checkpoint": checkpoint})
    return event.model_copy(update={"a": event.a.model_copy(update={"candidate": candidate})})


def stage(settings: JudgeSettings, model: ReadingModel | None = None) -> JudgeStage:
    return JudgeStage(settings, Judges([Member(settings, RUBRIC, model or ReadingModel())]))


async def test_it_is_not_asked_about_its_own_answer() -> None:
    model = ReadingModel()
    (found,) = await stage(SETTINGS, model)(answered_by("reading-model"))
    assert isinstance(found, Discard)
    assert found.reason == "same_model"
    assert model.requests == []


async def test_where_it_is_allowed_judgment_and_preference_say_so() -> None:
    (found,) = await stage(ALLOWED)(answered_by("reading-model"))
    assert isinstance(found, Judgment)
    assert found.marks == ("same_model",)
    (preference,) = await FilterStage(FilterSettings())(found)
    assert isinstance(preference, Preference)
    assert preference.marks == ("same_model",)


async def test_what_a_verifier_decided_stands_and_is_not_crosschecked() -> None:
    model = ReadingModel()
    decided = answered_by("reading-model").model_copy(update={"verifier_winner": VerifierWinner.B})
    always = SETTINGS.model_copy(update={"crosscheck_share": 1.0})
    (found,) = await stage(always, model)(decided)
    assert isinstance(found, Judgment)
    assert (found.winner, found.opinions, found.crosscheck_winner) == (Winner.B, (), None)
    assert model.requests == []


async def test_another_model_is_not_marked() -> None:
    (found,) = await stage(SETTINGS)(answered_by("other"))
    assert isinstance(found, Judgment)
    assert found.marks == ()


async def test_a_name_that_only_the_answer_shows_counts_too() -> None:
    class Signed(ReadingModel):
        """Served as an alias; it signs with the name of the policy."""

        model = "alias"

        async def complete(self, request: ChatRequest) -> ChatAnswer:
            answer = await super().complete(request)
            return answer.model_copy(update={"model": "policy-2026"})

    (found,) = await stage(SETTINGS, Signed())(answered_by("policy-2026"))
    assert isinstance(found, Discard)


def project(tmp_path: Path) -> Path:
    file = tmp_path / "rubrics" / "harbor" / "1.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(RUBRIC.model_dump_json(exclude_defaults=True))
    return tmp_path


@pytest.mark.parametrize("policy", ["openai:m", "m"])
def test_a_policy_as_judge_is_refused_at_the_start(tmp_path: Path, policy: str) -> None:
    settings = SETTINGS.model_copy(update={"model": "openai:m"})
    with pytest.raises(ConfigError, match="allow_same_model: true"):
        open_judges(
            settings,
            project(tmp_path),
            lambda _: ReadingModel(),
            checks={"sql_gate"},
            policies=[policy],
            nonce_key=lambda: b"",
        )


def test_a_criterion_of_an_unknown_verifier_is_refused(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"model": "openai:m"})
    with pytest.raises(
        ConfigError, match=r"criterion R1 .*'sql_gate', which is no hard check here"
    ):
        open_judges(
            settings,
            project(tmp_path),
            lambda _: ReadingModel(),
            checks={"json_match"},
            policies=[],
            nonce_key=lambda: b"",
        )
