"""How much a process computes at a time, and where."""

from pathlib import Path
from typing import Any

import pytest
from transformers import LlamaModel

from schemas.errors import ConfigError
from tests.pair_rows import PAIR_ROWS
from tests.tiny_policy import save_tiny_policy
from trainer.algorithms import ALGORITHMS
from trainer.checkpoint import load_policy
from trainer.dpo import DpoConfig
from trainer.kto import KtoConfig, train
from trainer.policy import Progress
from trainer.row_lengths import Reading, fit
from trainer.trl_trainer import pair, trl_trainer
from trainer.trl_training import Job

pytestmark = pytest.mark.integration

FAST: dict[str, Any] = {"learning_rate": 5e-3, "epochs": 1, "batch_size": 16}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_policy(tmp_path_factory.mktemp("policy") / "old")


def ignore(_: Progress) -> None: ...


@pytest.mark.parametrize("name", ["dpo", "kto"])
def test_the_reference_is_asked_in_parts_too(
    name: str, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else accumulation saves no memory: the reference is what a card cannot hold."""
    texts: list[int] = []
    forward = LlamaModel.forward

    def counted(self: LlamaModel, input_ids: Any = None, **more: Any) -> Any:
        texts.append(len(input_ids))
        return forward(self, input_ids=input_ids, **more)

    monkeypatch.setattr(LlamaModel, "forward", counted)
    one = ALGORITHMS[name]
    train_parts = one.with_config(one.config(**FAST, accumulation=8))
    train_parts(PAIR_ROWS, policy, tmp_path / "new", ignore)
    # two pairs and their two answers, and of the reference twice as many
    assert max(texts) <= 8


def test_a_part_of_one_answer_is_refused_by_kto(policy: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kto needs a neighbour's; set 32 or more, or fewer"):
        train(PAIR_ROWS, policy, KtoConfig(**FAST, accumulation=16), tmp_path / "new", ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_process_computes_on_one_of_several_cards(policy: Path, tmp_path: Path) -> None:
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    loaded = load_policy(policy)
    job = Job(
        policy=loaded,
        fitted=fit(PAIR_ROWS, loaded, Reading()),
        config=DpoConfig(**FAST),
        kind="policy",
        output_dir=tmp_path,
    )
    arguments = DPOConfig(**job.arguments(len(PAIR_ROWS)))
    # what transformers finds where torch sees two, and no launcher shares them
    arguments._n_gpu = 2
    assert trl_trainer(DPOTrainer, arguments, job, map(pair, PAIR_ROWS)).args.n_gpu == 1
