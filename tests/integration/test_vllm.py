"""Harbor's judge behind a real vLLM, beside the same weights in this process.

Skipped where vLLM's own environment is not installed (`prefstream vllm install`, 6 GB).
"""

import asyncio
import statistics
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from examples.harbor.anchors import anchors
from examples.harbor.judge.measure import anchor_comparison
from examples.harbor.judge.model import CHECKPOINT, MAX_OPINION_TOKENS
from examples.harbor.judge.train import PROJECT, RUBRIC
from infra.ports import free_port
from infra.settings import Settings
from infra.vllm import START_TIMEOUT_S, is_ready, python_of, start
from schemas.events import Judgment
from streams.inference.chat import ChatModel
from streams.inference.in_process import InProcessModel
from streams.inference.openai import OpenAIModel
from streams.judge.judges import Judges
from streams.judge.member import Member
from streams.judge.rubric import load_rubric
from streams.judge.settings import JudgeSettings
from streams.judge.stage import JudgeStage

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        python_of(Settings()) is None,
        reason="vLLM is not installed; run `prefstream vllm install` (6 GB)",
    ),
]

COMPARISONS = 200
CONTEXT_TOKENS = "512"
# The margins are up to 27 log-odds; both sides compute in float32, in another order of sums.
MARGIN_TOLERANCE = 0.05


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    settings = Settings(data_dir=tmp_path_factory.mktemp("vllm"))
    options = ("--max-model-len", CONTEXT_TOKENS, "--dtype", "float32")
    server = start(settings, CHECKPOINT, name="judge", port=port, options=options)
    try:
        server.wait_ready(lambda: is_ready(port), START_TIMEOUT_S)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.stop()


async def judged(model: ChatModel) -> list[Judgment]:
    settings = JudgeSettings(
        model=f"path:{CHECKPOINT}", rubric=RUBRIC, max_tokens=MAX_OPINION_TOKENS
    )
    member = Member(settings, load_rubric(PROJECT, RUBRIC), model)
    stage = JudgeStage(settings, Judges([member]))
    events = [anchor_comparison(one) for one in islice(anchors("calibration"), COMPARISONS)]
    found = await asyncio.gather(*(stage(event) for event in events))
    await stage.aclose()
    return [one for (one,) in found if isinstance(one, Judgment)]


def test_vllm_and_this_process_judge_alike(url: str) -> None:
    served = asyncio.run(judged(OpenAIModel("judge", url=url)))
    local = asyncio.run(judged(InProcessModel(Path(CHECKPOINT))))
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
