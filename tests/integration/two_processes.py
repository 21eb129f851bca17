"""One of the processes of a training, as torchrun starts it: POLICY FOLDER JOBS.

JOBS is a JSON object of settings by "algorithm name"; "none" is a run that is refused.
"""

import json
import sys
from pathlib import Path

from tests.pair_rows import PAIR_ROWS
from trainer import processes
from trainer.algorithms import ALGORITHMS


def main() -> None:
    """The first process prints what it trained, a line a job; the others print nothing."""
    policy, folder, jobs = sys.argv[1:]
    for job, settings in json.loads(jobs).items():
        one = ALGORITHMS[job.split()[0]]
        train = one.with_config(one.config.model_validate(settings))
        if not processes.is_first():
            processes.follow(train)
            continue
        with processes.leading(train) as together:
            if not job.endswith("none"):
                done = together(PAIR_ROWS, Path(policy), Path(folder) / job, lambda _: None)
                print(done.model_dump_json())


if __name__ == "__main__":
    main()
