"""One of the processes of a training, as torchrun or accelerate start it: POLICY FOLDER JOBS.

JOBS is a JSON object of settings by "algorithm name"; "none" is a run that is refused, "canary" one
that tries a few rows before, "known" one whose rewards the first process alone knows. Where
KILLED_AT_STEP is in the environment, the first process kills itself at that step.
"""

import gc
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from schemas.records import Record
from tests.pair_rows import PAIR_ROWS, goodness
from trainer import processes
from trainer.algorithms import ALGORITHMS
from trainer.policy import Progress, Train, TrainedPolicy
from trainer.weighted_rewards import Reward

ONLINE = ("rloo", "grpo")


class Ended(Record):
    """What was trained; how many parameters were sharded, and how many of them the first held."""

    trained: TrainedPolicy
    sharded: int
    held: int


def trains(job: str, settings: dict[str, object]) -> Train:
    """The algorithm that the job names, with its settings."""
    one = ALGORITHMS[job.split()[0]]
    config = one.config.model_validate(settings)
    if job.split()[0] not in ONLINE:
        return one.with_config(config)
    unknown = job.endswith("known") and not processes.is_first()
    return one.with_config(
        config, rewards=[Reward(name="good", function=nothing if unknown else goodness)]
    )


def nothing(completions: list[object], **columns: object) -> list[None]:
    """A reward that is known of no answer."""
    return [None] * len(completions)


class Shards:
    """Counts parameters while a training is at its first step; a watch."""

    sharded = held = 0

    def __call__(self, progress: Progress) -> None:
        if progress.step == int(os.environ.get("KILLED_AT_STEP", "0")):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.sharded:
            return
        models = [one for one in gc.get_objects() if issubclass(type(one), FSDPModule)]
        for parameter in {parameter for model in models for parameter in model.parameters()}:
            assert isinstance(parameter, DTensor)
            self.sharded += parameter.numel()
            self.held += parameter.to_local().numel()


def main() -> None:
    """The first process prints how each job ended, a line each; the others print nothing."""
    policy, folder, jobs = sys.argv[1:]
    for job, settings in json.loads(jobs).items():
        train = trains(job, settings)
        if not processes.is_first():
            processes.follow(train)
            continue
        with processes.leading(train) as together:
            if job.endswith("canary"):
                with tempfile.TemporaryDirectory() as trial:
                    together(PAIR_ROWS[:8], Path(policy), Path(trial) / "new", lambda _: None)
            if not job.endswith("none"):
                shards = Shards()
                done = together(PAIR_ROWS, Path(policy), Path(folder) / job, shards)
                ended = Ended(trained=done, sharded=shards.sharded, held=shards.held)
                print(ended.model_dump_json())


if __name__ == "__main__":
    main()
