"""Rounds by a real vLLM: once a policy was trained, the new weights are what answers.

Skipped where vLLM's own environment is not installed (`prefstream vllm install`, 6 GB).
"""

from functools import partial
from pathlib import Path

import pytest

from examples.harbor.demo.benchmark import asked
from examples.harbor.policy import CHECKPOINT
from examples.harbor.simulated_people import gate_reads
from infra.settings import Settings
from infra.vllm import python_of
from streams.inference.identity import folder_fingerprint
from streams.inference.vllm_model import VllmModel
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

# eager: compiling a model of a few million parameters takes longer than all its answers
OPTIONS = ("--max-model-len", "512", "--dtype", "float32", "--enforce-eager")
TAUGHT = "Please ask the sales team."


def test_after_a_training_the_new_weights_answer(tmp_path: Path) -> None:
    prompts = asked(gate_reads()[:16])
    rows = [preference(one.prompt_id, prompt=one.messages, chosen=said(TAUGHT)) for one in prompts]
    config = SftConfig(learning_rate=1e-3, epochs=10, batch_size=8)
    new = train(rows, CHECKPOINT, config, tmp_path / "new", lambda _: None).path
    serve = partial(VllmModel, settings=Settings(data_dir=tmp_path / "data"), options=OPTIONS)
    served = compared(tmp_path / "vllm", new, CHECKPOINT, prompts, serve)
    here = compared(tmp_path / "here", new, CHECKPOINT, prompts, in_process)
    answers = [tuple(side.output for side in one.candidates) for one in served]
    assert answers == [tuple(side.output for side in one.candidates) for one in here]
    assert {ours for ours, _ in answers} == {TAUGHT}
    assert TAUGHT not in {reference for _, reference in answers}
    writers = {tuple(side.checkpoint for side in one.candidates) for one in served}
    assert writers == {(folder_fingerprint(new), folder_fingerprint(CHECKPOINT))}
    assert processes_of(tmp_path) == set()
