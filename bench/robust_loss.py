"""The robust loss, told the flip rate of an audit, beside plain DPO on flipped Harbor pairs.

    python -m bench.robust_loss [--pairs 400] [--epochs 4] [--seeds 0 1 2] [--flips 0.1 0.2]
        [--losses sigmoid robust] [--beta 0.1] [--sft-weight 0] [--json]
    python -m bench.robust_loss --epochs 1 --beta 0.3 --sft-weight 3     # as Harbor is trained
    python -m bench.robust_loss --seeds $(seq 0 199) --losses            # the audits alone

Every policy starts from Harbor's supervised one and differs only in the loss. Execution accuracy is
that of sampled answers (T = 0.7) to the dev split, which no training saw. A seed draws other pairs
and other flips; each seed and loss can be measured by a call of its own. ``audited`` is what
`prefstream train` puts in for `label_flip_rate: audited`: simulated people check a default share of
the pairs, and their own error is known from Harbor's anchors. ``flipped`` is the truth.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

import duckdb

from bench.harbor_audit import MemoryLog, audited
from bench.harbor_pairs import harbor_pairs
from cli.label_noise import wants_audit, with_audited_noise
from cli.project import Project
from consumers.audit.job import audit_topics
from examples.harbor import policy, small_llama, warehouse
from examples.harbor.questions import Question, questions
from examples.harbor.score import execution, score
from trainer.algorithms import algorithm
from trainer.dpo import AUDITED, DpoConfig
from trainer.policy import Train

_LOSSES = ("sigmoid", "robust")
_TEMPERATURE = 0.7
_WAREHOUSE_SEED = 11
_PROJECT = Project()
Accuracy = Callable[[Path], float]


def measure(
    pairs: int,
    seeds: Sequence[int],
    flips: Sequence[float],
    losses: Sequence[str],
    recipe: Mapping[str, float],
) -> dict[str, float]:
    """What the audits found and each loss's accuracy, by seed; of several seeds mean and sd."""
    dev = questions("dev")
    figures = {"pairs": float(pairs), "dev_questions": float(len(dev)), **recipe}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dev.duckdb"
        warehouse.build(file, seed=_WAREHOUSE_SEED)
        with duckdb.connect(str(file), read_only=True) as connection:
            accuracy = _accuracy_on(dev, connection)
            if losses:
                figures["start"] = accuracy(policy.CHECKPOINT)
            for flipped in flips:
                by_seed = {
                    seed: _seed(pairs, flipped, seed, losses, recipe, accuracy) for seed in seeds
                }
                figures |= _named(flipped, by_seed)
    return figures


def _named(flipped: float, by_seed: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    names = next(iter(by_seed.values()))
    found: dict[str, float] = {}
    for name in names:
        values = [one[name] for one in by_seed.values()]
        found |= {
            f"{name}_{flipped:g}_seed_{seed}": v for seed, v in zip(by_seed, values, strict=True)
        }
        if len(values) > 1:
            found |= {f"{name}_{flipped:g}": fmean(values), f"{name}_{flipped:g}_sd": stdev(values)}
    return found


def _seed(
    pairs: int,
    flipped: float,
    seed: int,
    losses: Sequence[str],
    recipe: Mapping[str, float],
    accuracy: Accuracy,
) -> dict[str, float]:
    rows, right = harbor_pairs(pairs, flipped, seed), harbor_pairs(pairs, 0.0, seed)
    log = audited(rows, _PROJECT)
    error = audit_topics(log, _PROJECT.audit, _PROJECT.filter.min_margin).findings.error
    assert error is not None
    figures = {
        "flipped": fmean(
            one.chosen != other.chosen for one, other in zip(rows, right, strict=True)
        ),
        "checked": float(error.n),
        "audited": error.value,
        "audited_low": error.low,
        "audited_high": error.high,
    }
    with tempfile.TemporaryDirectory() as folder:
        for loss in losses:
            out = Path(folder) / loss
            _training(loss, seed, recipe, log)(rows, policy.CHECKPOINT, out, _unseen)
            figures[loss] = accuracy(out)
    return figures


def _training(loss: str, seed: int, recipe: Mapping[str, float], log: MemoryLog) -> Train:
    """As `prefstream train` makes it of the dpo section."""
    config = DpoConfig.model_validate(
        {
            "loss_type": loss,
            "label_flip_rate": 0.0 if loss == "sigmoid" else AUDITED,
            "learning_rate": 3e-4,
            "batch_size": 16,
            "length_batches": False,
            "checkpoints": 0,
            "seed": seed,
            **recipe,
        }
    )
    chosen = algorithm("dpo")
    if wants_audit(config):
        return with_audited_noise(chosen, config, None, (), log, _PROJECT).train
    return chosen.with_config(config)


def _accuracy_on(dev: Sequence[Question], connection: duckdb.DuckDBPyConnection) -> Accuracy:
    texts = [question.text for question in dev]

    def accuracy(checkpoint: Path) -> float:
        model, tokenizer = small_llama.load(checkpoint)
        answers = policy.answer(model, tokenizer, texts, temperature=_TEMPERATURE, seed=0)
        return score(dev, answers, execution(connection)).accuracy

    return accuracy


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
    parser.add_argument("--losses", nargs="*", default=list(_LOSSES), choices=_LOSSES)
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
