"""The robust loss with the label-flip rate beside plain DPO, on Harbor pairs with flipped labels.

    python -m bench.robust_loss [--pairs 400] [--epochs 4] [--seeds 0 1 2] [--flips 0.1 0.2]
        [--losses sigmoid robust] [--beta 0.1] [--sft-weight 0] [--json]
    python -m bench.robust_loss --epochs 1 --beta 0.3 --sft-weight 3     # as Harbor is trained

Every policy starts from Harbor's supervised one and differs only in the loss. Execution accuracy is
that of sampled answers (T = 0.7) to the dev split, which no training saw. A seed draws other pairs
and other flips; each seed and loss can be measured by a call of its own.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import duckdb

from bench.harbor_pairs import harbor_pairs
from examples.harbor import policy, small_llama, warehouse
from examples.harbor.questions import Question, questions
from examples.harbor.score import execution, score
from trainer.dpo import DpoConfig, train

_LOSSES = ("sigmoid", "robust")
_TEMPERATURE = 0.7
_WAREHOUSE_SEED = 11


def measure(
    pairs: int,
    seeds: Sequence[int],
    flips: Sequence[float],
    losses: Sequence[str],
    recipe: Mapping[str, float],
) -> dict[str, float]:
    """Accuracy of the start and of each loss at each share of flips, by seed and their mean."""
    dev = questions("dev")
    figures = {"pairs": float(pairs), "dev_questions": float(len(dev)), **recipe}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dev.duckdb"
        warehouse.build(file, seed=_WAREHOUSE_SEED)
        with duckdb.connect(str(file), read_only=True) as connection:
            figures["start"] = _accuracy(policy.CHECKPOINT, dev, connection)
            for flipped in flips:
                for loss in losses:
                    name = f"{loss}_{flipped:g}"
                    for seed in seeds:
                        out = Path(folder) / f"{name}-{seed}"
                        rows = harbor_pairs(pairs, flipped, seed)
                        config = _config(loss, flipped, seed, recipe)
                        train(rows, policy.CHECKPOINT, config, out, _unseen)
                        figures[f"{name}_seed_{seed}"] = _accuracy(out, dev, connection)
                    figures[name] = fmean(figures[f"{name}_seed_{seed}"] for seed in seeds)
    return figures


def _config(loss: str, flipped: float, seed: int, recipe: Mapping[str, float]) -> DpoConfig:
    rate = flipped if loss == "robust" else 0.0
    return DpoConfig.model_validate(
        {
            "loss_type": loss,
            "label_flip_rate": rate,
            "learning_rate": 3e-4,
            "batch_size": 16,
            "length_batches": False,
            "checkpoints": 0,
            "seed": seed,
            **recipe,
        }
    )


def _accuracy(
    checkpoint: Path, dev: Sequence[Question], connection: duckdb.DuckDBPyConnection
) -> float:
    model, tokenizer = small_llama.load(checkpoint)
    texts = [question.text for question in dev]
    answers = policy.answer(model, tokenizer, texts, temperature=_TEMPERATURE, seed=0)
    return score(dev, answers, execution(connection)).accuracy


def _unseen(_: object) -> None:
    """The figures are all that is printed."""


def main() -> None:
    """Measure and print, one figure a line or one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--sft-weight", type=float, default=0.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--flips", type=float, nargs="+", default=[0.1, 0.2])
    parser.add_argument("--losses", nargs="+", default=list(_LOSSES), choices=_LOSSES)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    recipe = {
        "epochs": options.epochs,
        "beta": options.beta,
        "sft_weight": options.sft_weight,
    }
    figures = measure(options.pairs, options.seeds, options.flips, options.losses, recipe)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28}{value:12,.3f}")


if __name__ == "__main__":
    main()
