"""Bytes a parameter that a training takes on the processor, for docs/training.md's arithmetic.

    python -m bench.training_memory [--ways sft dpo sft-lora dpo-lora sft-sharded dpo-sharded]
        [--sizes 50m 120m 210m] [--json]

Random Llamas of several sizes are each trained for three steps in a process of their own, or in two
by `infra/accelerate/fsdp.yaml`, of which the first is measured. Of its resident memory the most is
taken of three parts: ``begin``, until the first step is done (the policy is read, the reference
computed); ``step``, one later step; ``save``, what is left. Figures are the slopes of straight
lines through the sizes, so they leave out imports and all else that does not grow with the policy.
Texts are of a few tokens: activations are not in them. Linux only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from typing import Final, get_args

from bench.harbor_pairs import harbor_pairs
from bench.random_llama import Size, save_random_llama
from schemas.records import Message
from trainer import processes
from trainer.algorithms import ALGORITHMS
from trainer.policy import Progress

_SIZES: Final[tuple[Size, ...]] = ("50m", "120m", "210m")
_STEPS, _BATCH = 3, 2
_SHARDED: Final = "sharded"
_WAYS: Final = ("sft", "dpo", "sft-lora", "dpo-lora", "sft-sharded", "dpo-sharded")
_LAUNCHER: Final = (
    *("accelerate.commands.launch", "--config_file", "infra/accelerate/fsdp.yaml"),
    *("--num_processes", "2", "--main_process_port", "0", "-m"),
)
# Without it the allocator keeps what was freed, and takes it for resident.
_GIVE_BACK: Final = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}


@dataclass
class _Peaks:
    """A watch that takes down the most memory between steps, in bytes."""

    begin: float = 0.0
    step: float = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.step == 1:
            self.begin = _peak_bytes()
        elif not self.step:
            self.step = _peak_bytes()


def _peak_bytes() -> float:
    """The most that was resident since the last call."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (one for one in status.splitlines() if one.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return int(line.split()[1]) * 1024.0


def one_training(way: str, folder: Path) -> None:
    """Train the Llama in the folder; the first process prints its peaks."""
    name, how = way.split("-")[0], way.split("-")[1:]
    settings = {"batch_size": _BATCH, "epochs": 1, "checkpoints": 0}
    one = ALGORITHMS[name]
    config = one.config.model_validate(settings | ({"lora": {}} if "lora" in how else {}))
    train = one.with_config(config)
    if not processes.is_first():
        processes.follow(train)
        return
    said = (Message(role="assistant", content="SELECT"),)
    rows = [
        row.model_copy(update={"prompt": row.prompt[-1:], "chosen": said})
        for row in harbor_pairs(_STEPS * _BATCH)
    ]
    peaks = _Peaks()
    with processes.leading(train) as together:
        together(rows, folder, folder / way, peaks)
    print(json.dumps({"begin": peaks.begin, "step": peaks.step, "save": _peak_bytes()}))


def measure(ways: list[str], sizes: list[Size]) -> Iterator[tuple[str, float]]:
    """Bytes a parameter of each part of each way, and what does not grow, as they are found."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / size for size in sizes]
        parameters = [
            save_random_llama(size, one) for size, one in zip(sizes, folders, strict=True)
        ]
        for way in ways:
            peaks = [_child(way, folder) for folder in folders]
            for part in peaks[0]:
                line = linear_regression(parameters, [one[part] for one in peaks])
                yield f"{way}_{part}_bytes", line.slope
                yield f"{way}_{part}_constant_mb", line.intercept / 1e6


def _child(way: str, folder: Path) -> dict[str, float]:
    launcher = _LAUNCHER if way.endswith(_SHARDED) else ()
    command = [sys.executable, "-m", *launcher, "bench.training_memory"]
    done = subprocess.run(
        [*command, "--ways", way, "--child", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | _GIVE_BACK,
    )
    peaks: dict[str, float] = json.loads(done.stdout)
    return peaks


def main() -> None:
    """Measure and print, one figure a line or one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--ways", nargs="+", choices=_WAYS, default=list(_WAYS))
    parser.add_argument("--sizes", nargs="+", choices=get_args(Size), default=list(_SIZES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        one_training(options.ways[0], options.child)
        return
    figures = measure(options.ways, options.sizes)
    if options.json:
        print(json.dumps(dict(figures)))
    else:
        for name, value in figures:
            print(f"{name:36}{value:10,.2f}", flush=True)


if __name__ == "__main__":
    main()
