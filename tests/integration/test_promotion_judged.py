"""Two policies before a judge that can be fooled: what it likes, and what the verifiers say.

The policies are real (one is fine-tuned to say "good"), the judge answers over the OpenAI protocol,
and prefers whatever says "good".
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.project import load_project
from infra.settings import Settings
from schemas.records import GateResult, Verdict
from tests.chat_server import ChatServer
from tests.events import NOON
from tests.preferences import preference, said
from tests.tiny_policy import CONTEXT_TOKENS, save_tiny_policy
from tests.unit.judge_case import ReadingModel
from tests.waiting import DEADLINE_S
from trainer.promotion.canary import canary
from trainer.promotion.compare import Arena, Compared, compare_policies
from trainer.promotion.kl import kl_per_token
from trainer.promotion.settings import CanarySettings
from trainer.prompts import Prompt
from trainer.sft import SftConfig
from trainer.sft import train as fine_tune

pytestmark = pytest.mark.integration

PIPELINE = """
judge: {model: reading-model, rubric: harbor/1, answers: live}
pair: {rubric_id: harbor}
verify: {text: [RULE]}
promotion: {asking: {max_tokens: 6}, kl_prompts: 4, max_kl: 99, max_repetition_rise: 1,
  min_length_ratio: 0.05, max_length_ratio: 20}
"""
RUBRIC = """
id: harbor
version: "1"
criteria:
  - {id: R4, text: It is faithful., decided_by: judge}
instructions: Compare.
tie_policy: Equal is a tie.
"""
FORBIDS_GOOD = "{kind: regex, name: no_praise, pattern: good, must: not_match, hard: true}"
ALLOWS_ALL = "{kind: regex, name: no_shouting, pattern: '!!!', must: not_match, hard: true}"
PROMPTS = [
    Prompt(prompt_id=f"p{n}", messages=said(f"what is item{n}", "user"), slice="x")
    for n in range(40)
]
LONG = Prompt(prompt_id="long", messages=said("good " * 2 * CONTEXT_TOKENS, "user"), slice="x")


@contextmanager
def judging() -> Iterator[str]:
    """The judge's address while the block lasts."""
    loop, address, up = asyncio.new_event_loop(), [""], threading.Event()

    async def serve(done: asyncio.Event) -> None:
        async with ChatServer(ReadingModel()).listening() as url:
            address[0] = url
            up.set()
            await done.wait()

    done = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(done)))
    thread.start()
    try:
        assert up.wait(DEADLINE_S)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The reference, and the same policy after learning to say "good"."""
    folder = tmp_path_factory.mktemp("policies")
    reference = save_tiny_policy(folder / "reference")
    rows = [
        preference(
            f"r{n}",
            prompt=said(f"what is item{n}", "user"),
            chosen=said("yes very good answer"),
            rejected=said("no"),
        )
        for n in range(40)
    ]
    config = SftConfig(epochs=12, batch_size=8, learning_rate=0.01)
    return fine_tune(rows, reference, config, folder / "praising", lambda _: None).path, reference


def project(folder: Path, rule: str) -> Path:
    (folder / "rubrics" / "harbor").mkdir(parents=True)
    (folder / "rubrics" / "harbor" / "1.yaml").write_text(RUBRIC)
    (folder / "pipeline.yaml").write_text(PIPELINE.replace("RULE", rule))
    return folder


def arena(folder: Path, url: str) -> Arena:
    return Arena(
        project_dir=folder,
        pipeline=load_project(folder),
        infra=Settings(data_dir=folder / "data", model_url=url),
        now=NOON,
    )


def compared(candidate: Path, reference: Path, folder: Path) -> Compared:
    rules = load_project(folder).promotion
    with judging() as url:
        return compare_policies(candidate, reference, PROMPTS, PROMPTS, rules, arena(folder, url))


def by_name(found: Compared) -> dict[str, GateResult]:
    return {gate.name: gate for gate in found.gates}


def test_what_only_the_judge_likes_is_reward_hacking(
    policies: tuple[Path, Path], tmp_path: Path
) -> None:
    gates = by_name(compared(*policies, project(tmp_path, FORBIDS_GOOD)))
    assert gates["win_rate"].verdict is Verdict.PASS
    assert gates["win_rate"].value == pytest.approx(1.0, abs=0.2)
    assert gates["verifier/no_praise"].verdict is Verdict.FAIL
    hacked = gates["reward_hacking"]
    assert hacked.verdict is Verdict.FAIL
    assert "no_praise fell by -" in hacked.detail
    assert gates["kl"].value is not None
    assert gates["kl"].value > 0.1


def test_what_judge_and_verifiers_like_is_none(policies: tuple[Path, Path], tmp_path: Path) -> None:
    gates = by_name(compared(*policies, project(tmp_path, ALLOWS_ALL)))
    assert gates["win_rate"].verdict is Verdict.PASS
    assert gates["verifier/no_shouting"].value == 0.0
    assert gates["reward_hacking"].verdict is Verdict.PASS


def test_without_anchors_the_judge_lets_nothing_through(
    policies: tuple[Path, Path], tmp_path: Path
) -> None:
    _, reference = policies
    folder = project(tmp_path, ALLOWS_ALL)
    rules = load_project(folder).promotion
    # nobody is asked, so no judge has to answer
    place = arena(folder, "http://127.0.0.1:9")
    found = by_name(compare_policies(reference, reference, PROMPTS, (), rules, place))
    assert found["win_rate"].verdict is Verdict.INCONCLUSIVE
    assert "no anchor of the calibration split is left" in found["win_rate"].detail
    without = rules.model_copy(update={"anchor_prompts": 0})
    assert "win_rate" not in by_name(
        compare_policies(reference, reference, PROMPTS, (), without, place)
    )


def test_prompts_beyond_the_context_are_counted_by_every_gate(
    policies: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = project(tmp_path, ALLOWS_ALL)
    rules = load_project(folder).promotion
    with judging() as url:
        found = compare_policies(
            *policies, [LONG, *PROMPTS], [*PROMPTS, LONG], rules, arena(folder, url)
        )
    gates = by_name(found)
    assert gates["held_out"].value == len(PROMPTS)
    assert f"1 by neither, left out; the first: the prompt is {2 * CONTEXT_TOKENS + 3} tokens" in (
        gates["held_out"].detail
    )
    assert gates["win_rate"].verdict is Verdict.PASS
    assert "1 of 41 prompts could not be judged" in gates["win_rate"].detail
    assert gates["kl"].detail.endswith("over 4 prompts; nats a token")
    assert found.candidate["unanswered"] == found.reference["unanswered"] == 1


def test_where_there_is_no_room_for_an_answer_there_is_no_distance(
    policies: tuple[Path, Path],
) -> None:
    candidate, reference = policies
    found = kl_per_token(candidate, reference, [PROMPTS[0], LONG, PROMPTS[1]], 6, seed=1)
    assert [value is None for value in found] == [False, True, False]


def test_a_policy_against_itself_ties(policies: tuple[Path, Path], tmp_path: Path) -> None:
    _, reference = policies
    gates = by_name(compared(reference, reference, project(tmp_path, ALLOWS_ALL)))
    assert gates["win_rate"].value == 0.5
    assert gates["kl"].value == pytest.approx(0.0, abs=1e-6)
    assert gates["accuracy"].value == 0.0


def test_the_canary_asks_the_judge_and_then_trains_a_little(
    policies: tuple[Path, Path], tmp_path: Path
) -> None:
    """The judge's favourite of several answers gains nothing by these checks, so that floor is
    below zero; the little training on praise wins before this judge."""
    _, reference = policies
    folder = project(tmp_path, ALLOWS_ALL)
    rows = [
        preference(
            f"r{n}", prompt=said(f"what is item{n}", "user"), chosen=said("yes very good answer")
        )
        for n in range(40)
    ]
    settings = CanarySettings(min_rows=20, prompts=41, answers=2, min_gain=-0.1, max_drop=0.1)
    config = SftConfig(epochs=20, batch_size=8, learning_rate=0.01)
    with judging() as url:
        gates = canary(
            rows,
            reference,
            lambda given, policy, out, watch: fine_tune(given, policy, config, out, watch),
            [*PROMPTS, LONG],
            load_project(folder).promotion.asking,
            settings,
            tmp_path,
            arena(folder, url),
        )
    found = {gate.name: gate for gate in gates}
    assert list(found) == ["canary/best_of_n", "canary/accuracy", "canary/win_rate"]
    assert {gate.verdict for gate in gates} == {Verdict.PASS}
    assert found["canary/win_rate"].value == pytest.approx(1.0, abs=0.25)
    assert "1 of 41 prompts were not answered" in found["canary/best_of_n"].detail
    assert "1 by neither, left out" in found["canary/accuracy"].detail
    assert "1 of 41 prompts could not be judged" in found["canary/win_rate"].detail
