"""A real vLLM: Harbor's judge behind it, beside the same weights in this process; and rounds, where
once a policy was trained, the new weights are what answers.

Skipped where vLLM's own environment is not installed (`prefstream vllm install`, 6 GB).
"""

import asyncio
import statistics
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from examples.harbor.anchors import anchors
from examples.harbor.evaluation_prompts import asked
from examples.harbor.judge.measure import anchor_comparison
from examples.harbor.judge.model import CHECKPOINT as JUDGE
from examples.harbor.judge.model import MAX_OPINION_TOKENS
from examples.harbor.judge.train import PROJECT, RUBRIC
from examples.harbor.policy import CHECKPOINT as POLICY
from examples.harbor.simulated_people import gate_reads
from infra.settings import Settings
from infra.vllm import python_of
from schemas.events import Judgment
from streams.inference.chat import ChatModel
from streams.inference.identity import folder_fingerprint
from streams.inference.in_process import InProcessModel
from streams.inference.vllm_model import VllmModel
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.rubric import load_rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage
from tests.preferences import preference, said
from tests.processes import processes_of
from tests.unit.test_round_steps import compared
from trainer.fresh_sets import in_process
from trainer.sft import SftConfig, train

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        python_of(Settings()) is None,
        reason="vLLM is not installed; run `prefstream vllm install` (6 GB)",
    ),
]

COMPARISONS = 200
# eager: compiling a model of a few million parameters takes longer than all its answers
OPTIONS = ("--max-model-len", "512", "--dtype", "float32", "--enforce-eager")
# The margins are up to 27 log-odds; both sides compute in float32, in another order of sums.
MARGIN_TOLERANCE = 0.05
TAUGHT = "Please ask the sales team."


async def judged(model: ChatModel) -> list[Judgment]:
    settings = JudgeSettings(model=f"path:{JUDGE}", rubric=RUBRIC, max_tokens=MAX_OPINION_TOKENS)
    member = Member(settings, load_rubric(PROJECT, RUBRIC), model)
    stage = JudgeStage(settings, Judges([member]))
    events = [anchor_comparison(one) for one in islice(anchors("calibration"), COMPARISONS)]
    found = await asyncio.gather(*(stage(event) for event in events))
    await stage.aclose()
    return [one for (one,) in found if isinstance(one, Judgment)]


def test_vllm_and_this_process_judge_alike(tmp_path: Path) -> None:
    served = asyncio.run(judged(VllmModel(JUDGE, Settings(data_dir=tmp_path), OPTIONS)))
    local = asyncio.run(judged(InProcessModel(JUDGE)))
    assert len(served) == len(local) == COMPARISONS
    same = [one.winner is other.winner for one, other in zip(served, local, strict=True)]
    assert statistics.fmean(same) >= 0.99
    apart = [
        abs(one.margin - other.margin)
        for one, other in zip(served, local, strict=True)
        if one.margin is not None and other.margin is not None
    ]
    assert len(apart) >= 0.99 * COMPARISONS
    assert statistics.quantiles(apart, n=100)[-1] <= MARGIN_TOLERANCE
    print(f"same {statistics.fmean(same):.1%}, margins apart at most {max(apart):.4f}")
    masses = [opinion.captured_mass or 0.0 for one in served for opinion in one.opinions]
    assert min(masses) > 0.99


def test_after_a_training_the_new_weights_answer(tmp_path: Path) -> None:
    prompts = asked(gate_reads()[:16])
    rows = [preference(one.prompt_id, prompt=one.messages, chosen=said(TAUGHT)) for one in prompts]
    config = SftConfig(learning_rate=1e-3, epochs=10, batch_size=8)
    new = train(rows, POLICY, config, tmp_path / "new", lambda _: None).path
    serve = partial(VllmModel, settings=Settings(data_dir=tmp_path / "data"), options=OPTIONS)
    _, served = compared(tmp_path / "vllm", new, POLICY, prompts, serve)
    _, here = compared(tmp_path / "here", new, POLICY, prompts, in_process)
    answers = [tuple(side.output for side in one.candidates) for one in served]
    assert answers == [tuple(side.output for side in one.candidates) for one in here]
    assert {ours for ours, _ in answers} == {TAUGHT}
    assert TAUGHT not in {reference for _, reference in answers}
    writers = {tuple(side.checkpoint for side in one.candidates) for one in served}
    assert writers == {(folder_fingerprint(new), folder_fingerprint(POLICY))}
    assert processes_of(tmp_path) == set()
