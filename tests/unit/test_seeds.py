"""Seeds: prompts without an answer; our own red-team set among them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.events import CandidateSet, Discard
from streams.sample import SampleSettings, SampleStage
from streams.seeds import RED_TEAM, read_seeds
from tests.unit.test_sample_stage import ScriptedModel, by_temperature


def seeds_of(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "seeds.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_the_red_team_has_sixty_prompts_in_six_categories_and_several_scripts() -> None:
    seeds = list(read_seeds(RED_TEAM, "shop"))
    slices = Counter(seed.slice for seed in seeds)
    assert len(seeds) >= 60
    assert len(slices) >= 6
    assert all(name.startswith("redteam/") for name in slices)
    assert min(slices.values()) >= 5
    assert "redteam/injection" in slices
    texts = [seed.messages[-1].content for seed in seeds]
    assert len(set(texts)) == len(texts)
    for first, last in (("Ѐ", "ӿ"), ("؀", "ۿ"), ("一", "鿿"), ("぀", "ヿ")):
        assert any(first <= letter <= last for text in texts for letter in text)
    assert sum(letter in text for text in texts for letter in "¿àéüß") >= 5


def test_a_seed_keeps_its_id_however_often_it_is_read(tmp_path: Path) -> None:
    path = seeds_of(tmp_path, {"id": "one", "prompt": "x"}, {"prompt": "y", "slice": "s"})
    assert list(read_seeds(path, "shop")) == list(read_seeds(path, "shop"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"prompt": "x", "output": "y"}], "line 1: output"),
        ([{"prompt": " "}], "seed 1 has no prompt"),
        ([{"slice": "s"}], "seed 1 has no prompt"),
        ([{"prompt": "x"}, {"prompt": "x"}], "seed 2 (its prompt) stands twice"),
        ([{"id": "i", "prompt": "x"}, {"id": "i", "prompt": "y"}], "seed 2 (i) stands twice"),
    ],
)
def test_what_is_no_seed_is_told(tmp_path: Path, rows: list[object], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        list(read_seeds(seeds_of(tmp_path, *rows), "shop"))
    assert said in str(raised.value)


async def test_the_pool_answers_a_seed_and_the_share_does_not_apply(tmp_path: Path) -> None:
    (seed,) = read_seeds(seeds_of(tmp_path, {"prompt": "x", "slice": "redteam/a"}), "shop")
    model = ScriptedModel("policy", by_temperature)
    stage = SampleStage(SampleSettings(temperatures=(0.2, 0.9), share=0.0), [model])
    (out,) = await stage(seed)
    assert isinstance(out, CandidateSet)
    assert out.slice == "redteam/a"
    assert out.source_ids == (seed.event_id,)
    assert [one.output for one in out.candidates] == ["at 0.2", "at 0.9"]


async def test_a_seed_that_nobody_answers_is_discarded(tmp_path: Path) -> None:
    (seed,) = read_seeds(seeds_of(tmp_path, {"prompt": "x"}), "shop")
    stage = SampleStage(SampleSettings(temperatures=(0.5,)), [ScriptedModel("p", lambda _: " ")])
    (out,) = await stage(seed)
    assert isinstance(out, Discard)
    assert out.reason == "empty_output"
